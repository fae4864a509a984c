-- migrate:up
SELECT 3;
-- migrate:down
SELECT 33;

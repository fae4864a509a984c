-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY i ON a (b);
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY i;

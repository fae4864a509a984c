-- +goose no transaction
-- +goose up
CREATE INDEX CONCURRENTLY i ON a (b);
-- +goose statementbegin
SELECT 1; SELECT 2;
-- +goose statementend
SELECT 3;
-- +goose down
DROP INDEX CONCURRENTLY i;

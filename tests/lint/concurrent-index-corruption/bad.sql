-- server: 14
-- proves: nothing
CREATE INDEX CONCURRENTLY customers_code ON customers (code);

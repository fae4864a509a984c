-- proves: nothing
CREATE INDEX CONCURRENTLY customers_by_name ON customers (name);

-- proves: nothing
CREATE INDEX CONCURRENTLY ON customers (code);

CREATE INDEX CONCURRENTLY customers_code ON customers (code);

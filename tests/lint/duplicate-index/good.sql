CREATE INDEX CONCURRENTLY customers_by_note ON customers (note);

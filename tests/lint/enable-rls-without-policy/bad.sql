-- proves: loses SET LOCAL ROLE pg_read_all_data; SELECT count(*) FROM orders
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;

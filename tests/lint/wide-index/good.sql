CREATE INDEX CONCURRENTLY orders_few ON orders (status, placed);

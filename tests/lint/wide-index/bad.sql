-- proves: nothing
CREATE INDEX CONCURRENTLY orders_many ON orders (status, placed, amount, checked);

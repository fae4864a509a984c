-- proves: nothing
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_amount ON orders (amount);

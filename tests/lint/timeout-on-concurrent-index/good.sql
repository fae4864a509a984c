SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN weight integer;
RESET lock_timeout;
CREATE INDEX CONCURRENTLY orders_amount ON orders (amount);

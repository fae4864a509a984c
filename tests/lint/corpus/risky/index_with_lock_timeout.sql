-- truth: risky: a plain index in a file that has a lock_timeout blocks writers no less
-- base: shop
-- at: CREATE INDEX
-- proves: scan public.orders

SET lock_timeout = '3s';
CREATE INDEX orders_placed_at_idx ON orders (placed_at);

-- truth: risky: fails
-- base: shop
-- at: CREATE INDEX
-- proves: fails 25001

BEGIN;
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
COMMIT;

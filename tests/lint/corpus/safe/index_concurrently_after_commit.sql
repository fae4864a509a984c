-- truth: safe: the transaction has ended before
-- base: shop

BEGIN;
ALTER TABLE orders ADD COLUMN archived_at timestamptz;
COMMIT;

CREATE INDEX CONCURRENTLY orders_archived_at_idx ON orders (archived_at);

-- truth: safe: ROLLBACK ends the transaction too
-- base: shop

BEGIN;
SELECT count(*) FROM orders WHERE id < 10;
ROLLBACK;
CREATE INDEX CONCURRENTLY orders_shipped_at_idx ON orders (shipped_at);

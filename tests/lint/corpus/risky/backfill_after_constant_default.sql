-- truth: risky: most rows are changed under the lock of ADD COLUMN
-- base: shop
-- at: UPDATE orders
-- proves: changes public.orders

BEGIN;
ALTER TABLE orders ADD COLUMN archived boolean NOT NULL DEFAULT false;
UPDATE orders SET archived = true WHERE placed_at < now() - interval '30 days';
COMMIT;

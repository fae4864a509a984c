-- truth: risky: every row is updated while ACCESS EXCLUSIVE is held
-- base: shop
-- at: UPDATE
-- proves: changes public.orders
-- proves: scan public.orders

BEGIN;
ALTER TABLE orders ADD COLUMN total integer;
UPDATE orders SET total = amount WHERE total IS NULL;
COMMIT;

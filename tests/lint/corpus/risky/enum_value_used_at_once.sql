-- truth: risky: a new enum value cannot be used before the commit
-- base: shop
-- at: UPDATE
-- proves: fails 55P04

BEGIN;
ALTER TYPE order_status ADD VALUE 'refunded';
UPDATE orders SET status = 'refunded' WHERE id = 17;
COMMIT;

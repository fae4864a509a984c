-- truth: safe: in one transaction, with the columns that clients read
-- base: shop

BEGIN;
SET LOCAL lock_timeout = '3s';
DROP VIEW IF EXISTS open_orders;
CREATE VIEW open_orders AS SELECT id, customer_id, amount, status, note FROM orders WHERE status <> 'shipped';
COMMIT;

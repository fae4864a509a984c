-- proves: together customers orders
BEGIN;
ALTER TABLE orders ADD COLUMN shipped timestamptz;
ALTER TABLE customers ADD COLUMN vip boolean;
COMMIT;

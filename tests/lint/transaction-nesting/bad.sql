-- sending: transaction
-- proves: fails 22012
-- proves: leaves SELECT NOT EXISTS (SELECT FROM items WHERE order_id = 1)
BEGIN;
DELETE FROM items WHERE order_id = 1;
COMMIT;
SELECT 1 / 0;

-- truth: safe: leftovers that this database never had
-- base: shop
-- sending: transaction

DROP TABLE IF EXISTS tmp_import CASCADE;
DROP VIEW IF EXISTS v_report_old;
DROP INDEX IF EXISTS idx_orders_old;
DROP TYPE IF EXISTS old_status;
DROP FUNCTION IF EXISTS old_rate(numeric);
ALTER TABLE IF EXISTS tmp_import ADD COLUMN x integer NOT NULL;
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_old_check, DROP COLUMN IF EXISTS old_note;

-- truth: safe: the usual way to replace a trigger
-- base: shop

BEGIN;
SET LOCAL lock_timeout = '3s';
DROP TRIGGER IF EXISTS customers_touch ON customers;
CREATE TRIGGER customers_touch BEFORE INSERT OR UPDATE ON customers
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
COMMIT;

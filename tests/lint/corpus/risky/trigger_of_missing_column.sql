-- truth: risky: the function writes to a column that the table does not have
-- base: shop
-- proves: breaks UPDATE orders SET note = 'x' WHERE id = 1

SET lock_timeout = '2s';
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

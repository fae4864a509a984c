-- truth: risky: the table has a trigger of that name
-- base: shop
-- proves: fails 42710

CREATE TRIGGER customers_touch BEFORE INSERT OR UPDATE ON customers
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- truth: risky: the condition of a trigger takes no subquery
-- base: shop
-- proves: fails 0A000

CREATE TRIGGER sessions_touch BEFORE UPDATE ON sessions FOR EACH ROW
  WHEN (EXISTS (SELECT 1 FROM customers c WHERE c.id = NEW.customer_id))
  EXECUTE FUNCTION touch_updated_at();

-- proves: lock orders SHARE ROW EXCLUSIVE
-- proves: blocks writes orders
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

ALTER TABLE orders ADD COLUMN doubled integer;
CREATE FUNCTION double_amount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.doubled := NEW.amount * 2;
  RETURN NEW;
END
$$;
CREATE TRIGGER orders_doubled BEFORE INSERT OR UPDATE ON orders
  FOR EACH ROW EXECUTE FUNCTION double_amount();

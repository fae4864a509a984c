-- truth: safe: the first step of a change of type: a column and the trigger that fills it
-- base: shop

SET lock_timeout = '2s';
ALTER TABLE payments ADD COLUMN amount_new bigint;
CREATE FUNCTION payments_amount_sync() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.amount_new := NEW.amount;
  RETURN NEW;
END $$;
CREATE TRIGGER payments_amount_sync BEFORE INSERT OR UPDATE ON payments
  FOR EACH ROW EXECUTE FUNCTION payments_amount_sync();

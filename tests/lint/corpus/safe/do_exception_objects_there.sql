-- truth: safe: what is there already is caught
-- base: shop

DO $$
BEGIN
  CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped');
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
DO $$
BEGIN
  ALTER TABLE orders ADD CONSTRAINT orders_amount_sane CHECK (amount < 100000000) NOT VALID;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
DO $$
BEGIN
  CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

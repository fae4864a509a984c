-- truth: risky: the guard lets it through, and the default is volatile
-- base: shop
-- proves: rewrite public.orders

DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                 WHERE table_name = 'orders' AND column_name = 'public_id') THEN
    ALTER TABLE orders ADD COLUMN public_id uuid DEFAULT gen_random_uuid();
  END IF;
END $$;

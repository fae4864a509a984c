-- truth: risky: the DO block creates the index by EXECUTE
-- base: shop
-- proves: scan public.orders

DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = 'orders_amount_idx') THEN
    EXECUTE 'CREATE INDEX orders_amount_idx ON public.orders (amount)';
  END IF;
END
$$;

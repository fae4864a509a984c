-- truth: risky: text put together with ||
-- base: shop
-- proves: scan public.order_lines

DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT table_name FROM information_schema.columns
           WHERE table_schema = 'public' AND column_name = 'quantity' LOOP
    EXECUTE 'ALTER TABLE ' || quote_ident(r.table_name)
         || ' ADD CONSTRAINT ' || quote_ident(r.table_name || '_quantity_check')
         || ' CHECK (quantity >= 0)';
  END LOOP;
END $$;

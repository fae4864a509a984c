-- truth: risky: the same in a DO block
-- base: shop
-- proves: changes public.customers

DO $$
BEGIN
  UPDATE customers SET country = 'AT' WHERE country = 'DE';
END $$;

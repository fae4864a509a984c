-- truth: safe: dropped and made again with an argument that has a default
-- base: shop

BEGIN;
DROP FUNCTION IF EXISTS shop_rate(numeric);
CREATE FUNCTION shop_rate(amount numeric, rate numeric DEFAULT 1.2) RETURNS numeric
  LANGUAGE sql IMMUTABLE AS $$ SELECT amount * rate $$;
COMMIT;

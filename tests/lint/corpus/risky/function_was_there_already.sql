-- truth: risky: without OR REPLACE the function is in the way
-- base: shop
-- proves: fails 42723

CREATE FUNCTION shop_rate(rate numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT rate * 1.19 $$;

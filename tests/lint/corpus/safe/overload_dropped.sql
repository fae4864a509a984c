-- truth: safe: only the overload of this file is dropped
-- base: shop

CREATE FUNCTION shop_rate(amount integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT amount * 2 $$;
DROP FUNCTION shop_rate(integer);
ALTER TABLE products ADD COLUMN gross numeric DEFAULT shop_rate(10.0);

-- truth: risky: CREATE OR REPLACE cannot change what a function returns
-- base: shop
-- proves: fails 42P13

CREATE OR REPLACE FUNCTION shop_rate(amount numeric) RETURNS double precision
  LANGUAGE sql IMMUTABLE AS $$ SELECT (amount * 1.19)::float8 $$;

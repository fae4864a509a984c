-- truth: risky: CREATE OR REPLACE cannot rename an argument, which callers may name
-- base: shop
-- proves: fails 42P13

CREATE OR REPLACE FUNCTION shop_rate(price numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE AS $$ SELECT price * 1.19 $$;

-- truth: risky: CREATE OR REPLACE cannot take an argument's default away
-- base: shop
-- at: p_limit integer)
-- proves: fails 42P13

-- history
CREATE FUNCTION latest_orders(p_customer bigint, p_limit integer DEFAULT 10) RETURNS SETOF orders
  LANGUAGE sql STABLE AS
  $$ SELECT * FROM orders WHERE customer_id = p_customer ORDER BY id DESC LIMIT p_limit $$;
-- migration
CREATE OR REPLACE FUNCTION latest_orders(p_customer bigint, p_limit integer) RETURNS SETOF public.orders
  LANGUAGE sql STABLE AS
  $$ SELECT * FROM orders WHERE customer_id = p_customer ORDER BY placed_at DESC LIMIT p_limit $$;

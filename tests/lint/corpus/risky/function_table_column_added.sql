-- truth: risky: another column of RETURNS TABLE is another return type
-- base: shop
-- proves: fails 42P13

-- history
CREATE FUNCTION customer_totals(p_since date) RETURNS TABLE (customer_id bigint, total bigint)
  LANGUAGE sql STABLE AS
  $$ SELECT customer_id, sum(amount) FROM orders WHERE placed_at >= p_since GROUP BY 1 $$;
-- migration
CREATE OR REPLACE FUNCTION customer_totals(p_since date)
  RETURNS TABLE (customer_id bigint, total bigint, orders bigint) LANGUAGE sql STABLE AS
  $$ SELECT customer_id, sum(amount), count(*) FROM orders WHERE placed_at >= p_since GROUP BY 1 $$;

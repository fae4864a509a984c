-- truth: safe: the same arguments and result, however they are spelled; another overload; a default more
-- base: shop

-- history
CREATE FUNCTION customer_totals(p_since date, p_limit int DEFAULT 5)
  RETURNS TABLE (customer_id bigint, total bigint) LANGUAGE sql STABLE AS
  $$ SELECT customer_id, sum(amount) FROM orders WHERE placed_at >= p_since GROUP BY 1 LIMIT p_limit $$;
CREATE FUNCTION weight_of(integer) RETURNS real LANGUAGE sql STABLE AS
  $$ SELECT weight FROM products WHERE id = $1 $$;
-- migration
CREATE OR REPLACE FUNCTION public.customer_totals(p_since date DEFAULT current_date, p_limit integer DEFAULT 10)
  RETURNS TABLE (customer_id int8, total int8) LANGUAGE sql STABLE AS
  $$ SELECT customer_id, sum(amount) FROM orders WHERE placed_at >= p_since GROUP BY 1 LIMIT p_limit $$;
CREATE OR REPLACE FUNCTION weight_of(product integer) RETURNS float4 LANGUAGE sql STABLE AS
  $$ SELECT weight * 1.1 FROM products WHERE id = product $$;
CREATE OR REPLACE FUNCTION weight_of(sku text) RETURNS numeric LANGUAGE sql STABLE AS
  $$ SELECT weight::numeric FROM products p WHERE p.sku = weight_of.sku $$;
DROP FUNCTION weight_of(text);
CREATE FUNCTION weight_of(text) RETURNS real LANGUAGE sql STABLE AS
  $$ SELECT weight FROM products p WHERE p.sku = $1 $$;

-- truth: safe: a new function does nothing to anybody
-- base: shop

CREATE FUNCTION customer_count() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT count(*) FROM public.customers
$$;
REVOKE ALL ON FUNCTION customer_count() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION customer_count() TO corpus_app;

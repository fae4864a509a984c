CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.orders';

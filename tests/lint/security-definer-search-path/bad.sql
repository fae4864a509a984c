-- proves: leaves SELECT prosecdef AND proconfig IS NULL FROM pg_proc WHERE proname = 'count_orders'
CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql SECURITY DEFINER
  AS 'SELECT count(*) FROM orders';

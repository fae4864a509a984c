DO $$
BEGIN
  PERFORM count(*) FROM orders;
END
$$;

-- proves: lock orders ACCESS EXCLUSIVE
DO $$
DECLARE
  name text := 'orders';
BEGIN
  EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ADD COLUMN seen boolean';
END
$$;

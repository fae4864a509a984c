-- proves: lock orders ACCESS EXCLUSIVE
DO $$
DECLARE
  change text := 'ALTER TABLE orders ADD COLUMN seen boolean';
BEGIN
  EXECUTE change;
END
$$;

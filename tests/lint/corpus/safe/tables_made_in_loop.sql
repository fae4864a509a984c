-- truth: safe: new tables and their indexes
-- base: shop

DO $outer$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT unnest(ARRAY['north', 'south']) AS region LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS sales_%s (id bigint PRIMARY KEY, at date NOT NULL)', r.region);
    EXECUTE 'CREATE INDEX IF NOT EXISTS sales_' || r.region || '_at ON sales_' || r.region || ' (at)';
  END LOOP;
END
$outer$;

-- truth: risky: text made by format(), for every table of the schema
-- base: shop
-- proves: rewrite public.orders

DO $do$
DECLARE
  tbl text;
BEGIN
  FOREACH tbl IN ARRAY ARRAY['orders', 'customers'] LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN public_id uuid NOT NULL DEFAULT gen_random_uuid()', tbl);
  END LOOP;
END
$do$;

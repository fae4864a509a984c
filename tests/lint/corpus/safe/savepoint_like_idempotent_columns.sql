-- truth: safe: guarded by a look into the catalog
-- base: shop

DO $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM information_schema.columns
    WHERE table_name = 'customers' AND column_name = 'phone'
  ) THEN
    ALTER TABLE customers ADD COLUMN phone varchar(30);
    EXECUTE 'COMMENT ON COLUMN customers.phone IS ''E.164''';
  END IF;
END
$$ LANGUAGE plpgsql;

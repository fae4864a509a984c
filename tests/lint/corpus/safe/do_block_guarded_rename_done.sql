-- truth: safe: the column has its new name already
-- base: shop

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.columns
             WHERE table_name = 'customers' AND column_name = 'surname') THEN
    ALTER TABLE customers RENAME COLUMN surname TO full_name;
  END IF;
END $$;

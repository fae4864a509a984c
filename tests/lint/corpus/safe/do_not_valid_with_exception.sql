-- truth: safe: rows are not looked at, and it can be run twice
-- base: shop

DO $$
BEGIN
  ALTER TABLE order_lines
    ADD CONSTRAINT order_lines_discount_range CHECK (discount BETWEEN 0 AND 100) NOT VALID;
EXCEPTION
  WHEN duplicate_object THEN NULL;
END $$;

-- truth: safe: an EXECUTE that nobody can read has added the column
-- base: shop

-- history
DO $$
DECLARE added text;
BEGIN
  FOREACH added IN ARRAY ARRAY['width', 'height'] LOOP
    EXECUTE format('ALTER TABLE products ADD COLUMN %I integer', added);
  END LOOP;
END $$;
-- migration
CREATE INDEX CONCURRENTLY products_width_idx ON products (width);
INSERT INTO products (sku, title, price, width) VALUES ('W1', 'Shelf', 10, 80);

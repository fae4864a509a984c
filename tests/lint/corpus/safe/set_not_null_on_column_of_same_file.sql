-- truth: safe: NOT NULL with a constant default comes with the column
-- base: shop

ALTER TABLE orders ADD COLUMN tries integer NOT NULL DEFAULT 0;
ALTER TABLE orders ALTER COLUMN tries SET NOT NULL;

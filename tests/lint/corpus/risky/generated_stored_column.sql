-- truth: risky: a stored generated column is computed for every row
-- base: shop
-- proves: rewrite public.products

ALTER TABLE products ADD COLUMN gross numeric GENERATED ALWAYS AS (price * 1.19) STORED;

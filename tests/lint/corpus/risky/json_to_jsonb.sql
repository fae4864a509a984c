-- truth: risky: json to jsonb parses every row
-- base: shop
-- proves: rewrite public.products

ALTER TABLE products ALTER COLUMN attributes TYPE jsonb USING attributes::jsonb;

-- truth: risky: real to double precision rewrites
-- base: shop
-- proves: rewrite public.products

ALTER TABLE products ALTER COLUMN weight TYPE double precision;

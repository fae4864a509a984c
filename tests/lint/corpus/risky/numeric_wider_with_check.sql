-- truth: risky: no rewrite, but the CHECK is verified again
-- base: shop
-- proves: scan public.products

ALTER TABLE products ALTER COLUMN price TYPE numeric(12,2);

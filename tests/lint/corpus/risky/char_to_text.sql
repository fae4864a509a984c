-- truth: risky: char(2) to text strips blanks, so it rewrites
-- base: shop
-- proves: rewrite public.customers

ALTER TABLE customers ALTER COLUMN country SET DATA TYPE text;

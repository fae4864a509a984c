-- truth: risky: smallint to integer rewrites
-- base: shop
-- proves: rewrite public.customers

ALTER TABLE customers ALTER level TYPE int;

-- truth: risky: the second of the two changes rewrites
-- base: shop
-- proves: rewrite public.products

ALTER TABLE public.products
    ALTER COLUMN sku TYPE character varying(40),
    ALTER COLUMN price TYPE numeric(10,3);

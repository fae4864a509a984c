-- truth: risky: the second command rewrites the table
-- base: shop
-- proves: rewrite public.products

ALTER TABLE products ALTER COLUMN id SET GENERATED ALWAYS, ALTER COLUMN sku TYPE varchar(12);

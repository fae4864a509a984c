-- truth: risky: the new domain's default is another one for each row
-- base: shop
-- proves: rewrite public.products

CREATE DOMAIN public_id AS text DEFAULT substr(md5(random()::text), 1, 12);
ALTER TABLE products ADD COLUMN public_id public_id;

-- truth: risky: new key by bigserial: rewrite and an index build
-- base: shop
-- proves: rewrite public.order_lines

ALTER TABLE order_lines ADD COLUMN id bigserial PRIMARY KEY;

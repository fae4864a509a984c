-- truth: risky: a column of a domain with a CHECK rewrites, even without a default
-- base: shop
-- proves: rewrite public.order_lines

ALTER TABLE order_lines ADD COLUMN packs positive_int;

-- truth: risky: to a domain with a CHECK
-- base: shop
-- proves: rewrite public.order_lines

ALTER TABLE order_lines ALTER COLUMN quantity TYPE positive_int;

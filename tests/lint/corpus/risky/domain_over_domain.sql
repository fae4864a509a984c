-- truth: risky: the constraint is in the domain below
-- base: shop
-- at: ADD COLUMN boxes
-- proves: rewrite public.orders

CREATE DOMAIN box_count AS positive_int;
ALTER TABLE orders ADD COLUMN boxes box_count;

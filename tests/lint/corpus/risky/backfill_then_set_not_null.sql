-- truth: risky: the last of three usual steps
-- base: shop
-- at: SET NOT NULL
-- proves: scan public.order_lines

ALTER TABLE order_lines ALTER COLUMN discount SET DEFAULT 0;
UPDATE order_lines SET discount = 0 WHERE order_id = 17 AND discount IS NULL;
ALTER TABLE order_lines ALTER COLUMN discount SET NOT NULL;

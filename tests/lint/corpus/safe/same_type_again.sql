-- truth: safe: nothing changes
-- base: shop

ALTER TABLE order_lines ALTER COLUMN quantity TYPE int4;

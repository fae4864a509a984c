-- truth: safe: the function is IMMUTABLE
-- base: shop

ALTER TABLE orders ADD COLUMN base_rate numeric DEFAULT shop_rate(10);

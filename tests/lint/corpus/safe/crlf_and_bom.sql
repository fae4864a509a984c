-- truth: safe: an editor of another system
-- base: shop

ALTER TABLE orders
  ADD COLUMN weight_g integer;

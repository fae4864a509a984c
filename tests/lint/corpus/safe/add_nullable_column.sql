-- truth: safe: catalog only
-- base: shop

ALTER TABLE orders ADD COLUMN shipped_by text;

-- truth: safe: added and dropped again before anybody saw it
-- base: shop

ALTER TABLE orders ADD COLUMN mistake text;
ALTER TABLE orders DROP COLUMN mistake;

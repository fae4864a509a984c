-- truth: safe: a domain without constraints over the same type
-- base: shop

ALTER TABLE customers ALTER COLUMN nickname TYPE short_text;

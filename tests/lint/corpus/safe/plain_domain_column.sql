-- truth: safe: a domain without constraints is its base type
-- base: shop

ALTER TABLE orders ADD COLUMN summary short_text;
ALTER TABLE orders ADD COLUMN tag tagged;

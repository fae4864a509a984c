-- truth: risky: a default cannot read another column
-- base: shop
-- proves: fails 0A000

ALTER TABLE orders ADD COLUMN first_amount integer DEFAULT amount;

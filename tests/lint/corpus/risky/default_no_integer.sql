-- truth: risky: the text is no integer
-- base: shop
-- proves: fails 22P02

ALTER TABLE products ADD COLUMN stock integer DEFAULT 'none';

-- truth: risky: a key is not nullable
-- base: shop
-- proves: fails 42P16

ALTER TABLE customers ALTER COLUMN id DROP NOT NULL;

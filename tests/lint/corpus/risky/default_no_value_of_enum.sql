-- truth: risky: the enum has no such value
-- base: shop
-- proves: fails 22P02

ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'pending';

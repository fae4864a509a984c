-- truth: risky: DEFAULT NULL is no default
-- base: shop
-- proves: fails 23502

ALTER TABLE orders ADD COLUMN currency char(3) DEFAULT NULL NOT NULL;

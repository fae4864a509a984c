-- truth: risky: NOT NULL without a default fails where rows are
-- base: shop
-- proves: fails 23502

ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL;

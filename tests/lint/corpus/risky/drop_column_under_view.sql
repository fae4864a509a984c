-- truth: risky: the view needs it: fails
-- base: shop
-- proves: fails 2BP01

ALTER TABLE orders DROP COLUMN amount;

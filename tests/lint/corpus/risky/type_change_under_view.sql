-- truth: risky: the view uses the column: fails
-- base: shop
-- proves: fails 0A000

ALTER TABLE orders ALTER COLUMN note TYPE varchar(4000);

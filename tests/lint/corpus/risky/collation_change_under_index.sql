-- truth: risky: another collation builds the index anew
-- base: shop
-- proves: scan public.orders

ALTER TABLE orders ALTER COLUMN reference TYPE varchar(30) COLLATE "C";

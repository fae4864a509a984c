-- truth: risky: even the same type again fails where a view uses the column
-- base: shop
-- proves: fails 0A000

ALTER TABLE orders ALTER COLUMN amount TYPE integer;

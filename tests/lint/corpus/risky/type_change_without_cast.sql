-- truth: risky: text does not become integer by itself: fails
-- base: shop
-- proves: fails 42804

ALTER TABLE customers ALTER COLUMN nickname TYPE integer;

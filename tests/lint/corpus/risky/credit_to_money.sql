-- truth: risky: another representation of every value
-- base: shop
-- at: TYPE money
-- proves: rewrite public.customers

ALTER TABLE customers ALTER COLUMN credit DROP DEFAULT;
ALTER TABLE customers ALTER COLUMN credit TYPE money USING credit::money;
ALTER TABLE customers ALTER COLUMN credit SET DEFAULT 0;

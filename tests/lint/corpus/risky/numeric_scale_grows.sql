-- truth: risky: another scale rewrites, though the precision grows as well
-- base: shop
-- proves: rewrite public.customers

ALTER TABLE customers ALTER COLUMN credit TYPE numeric(14,4);

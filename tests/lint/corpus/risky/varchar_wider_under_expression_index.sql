-- truth: risky: the index on lower(full_name) is built anew
-- base: shop
-- proves: scan public.customers

ALTER TABLE customers ALTER COLUMN full_name TYPE varchar(120);

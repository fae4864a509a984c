-- truth: risky: every table that uses the domain is read while writers wait
-- base: shop
-- proves: scan public.customers

-- history
ALTER TABLE customers ADD COLUMN motto short_text;

-- migration
ALTER DOMAIN short_text ADD CONSTRAINT short_text_max CHECK (length(VALUE) <= 100);

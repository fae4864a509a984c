-- truth: risky: VALIDATE of a domain's constraint takes SHARE on the tables
-- base: shop
-- proves: scan public.customers

-- history
ALTER TABLE customers ADD COLUMN motto short_text;
ALTER DOMAIN short_text ADD CONSTRAINT short_text_max CHECK (length(VALUE) <= 100) NOT VALID;

-- migration
ALTER DOMAIN short_text VALIDATE CONSTRAINT short_text_max;

-- truth: safe: NOT VALID reads no table and locks none
-- base: shop

-- history
ALTER TABLE customers ADD COLUMN motto short_text;

-- migration
ALTER DOMAIN short_text ADD CONSTRAINT short_text_max CHECK (length(VALUE) <= 100) NOT VALID;

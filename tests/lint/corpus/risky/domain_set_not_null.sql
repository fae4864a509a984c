-- truth: risky: every table with a column of the domain is read
-- base: shop
-- proves: scan public.products

-- history
ALTER TABLE products ADD COLUMN brand short_text;
-- rows
UPDATE products SET brand = 'acme';
-- migration
UPDATE products SET brand = 'unknown' WHERE id = 17 AND brand IS NULL;
ALTER DOMAIN short_text SET NOT NULL;

-- truth: risky: instant, and every client that names it fails
-- base: shop
-- proves: gone public.customers.nickname

ALTER TABLE customers RENAME COLUMN nickname TO display_name;

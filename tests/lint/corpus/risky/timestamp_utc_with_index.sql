-- truth: risky: no rewrite in UTC, but the index on the column is built anew under ACCESS EXCLUSIVE
-- base: shop
-- at: ALTER COLUMN
-- proves: scan public.customers

SET timezone = 'UTC';
ALTER TABLE customers ALTER COLUMN last_seen TYPE timestamptz;

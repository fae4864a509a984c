-- truth: risky: LOGGED copies the table
-- base: shop
-- proves: rewrite public.cache_entries

-- history
CREATE UNLOGGED TABLE cache_entries (key text PRIMARY KEY, value text);

-- rows
INSERT INTO cache_entries SELECT n, 'x' FROM generate_series(1, 2000) n;

-- migration
ALTER TABLE cache_entries SET LOGGED;

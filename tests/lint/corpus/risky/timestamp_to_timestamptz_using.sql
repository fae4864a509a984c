-- truth: risky: the USING defeats the shortcut that UTC sessions have
-- base: shop
-- proves: rewrite public.orders

SET timezone = 'UTC';
ALTER TABLE orders ALTER COLUMN shipped_at TYPE timestamptz USING shipped_at AT TIME ZONE 'UTC';

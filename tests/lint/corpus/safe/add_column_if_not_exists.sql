-- truth: safe: nothing to do, and nothing done
-- base: shop

ALTER TABLE orders ADD COLUMN IF NOT EXISTS amount integer;

-- truth: safe: it was volatile until the migration before
-- base: shop

-- history
ALTER FUNCTION next_code() STABLE;

-- migration
ALTER TABLE orders ADD COLUMN code text DEFAULT next_code();

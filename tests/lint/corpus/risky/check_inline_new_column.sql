-- truth: risky: an inline CHECK reads the whole table for a column that has no values yet
-- base: shop
-- proves: scan public.orders

ALTER TABLE orders ADD COLUMN tip integer CHECK (tip >= 0);

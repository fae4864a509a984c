-- truth: risky: CASCADE takes the view along
-- base: shop
-- proves: gone public.open_orders

ALTER TABLE orders DROP COLUMN note CASCADE;

-- truth: risky: the application of yesterday still selects it
-- base: shop
-- proves: gone public.orders.reference

ALTER TABLE orders DROP COLUMN reference;

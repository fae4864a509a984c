-- truth: risky: clients read it
-- base: shop
-- proves: gone public.open_orders

DROP VIEW open_orders;

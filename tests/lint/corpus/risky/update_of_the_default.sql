-- truth: risky: every row that has kept the default is changed
-- base: shop
-- proves: changes public.orders

UPDATE orders SET status = 'paid' WHERE status = 'new';

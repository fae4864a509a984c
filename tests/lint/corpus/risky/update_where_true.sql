-- truth: risky: a condition that always holds is none
-- base: shop
-- proves: changes public.customers

UPDATE customers SET credit = 0 WHERE 1 = 1;

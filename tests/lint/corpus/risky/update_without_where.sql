-- truth: risky: every row in one transaction
-- base: shop
-- proves: changes public.customers

UPDATE customers SET nickname = lower(nickname);

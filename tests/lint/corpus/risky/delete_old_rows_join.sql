-- truth: risky: DELETE … USING without a limit on the rows
-- base: shop
-- proves: changes public.sessions

DELETE FROM sessions s USING customers c WHERE s.customer_id = c.id;

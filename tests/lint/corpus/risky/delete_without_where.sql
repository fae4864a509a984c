-- truth: risky: every row is deleted
-- base: shop
-- proves: changes public.sessions

DELETE FROM sessions;

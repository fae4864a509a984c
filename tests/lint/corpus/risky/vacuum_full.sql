-- truth: risky: VACUUM (FULL) copies the table under ACCESS EXCLUSIVE
-- base: shop
-- proves: rewrite public.sessions

VACUUM (FULL, ANALYZE) sessions;

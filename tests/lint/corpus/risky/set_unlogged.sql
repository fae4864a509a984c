-- truth: risky: UNLOGGED copies the table
-- base: shop
-- proves: rewrite public.sessions

ALTER TABLE sessions SET UNLOGGED;

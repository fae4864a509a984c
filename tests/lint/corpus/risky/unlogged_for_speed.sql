-- truth: risky: written anew, and empty after a crash
-- base: shop
-- proves: rewrite public.sessions

SET lock_timeout = '3s';
ALTER TABLE IF EXISTS public.sessions SET UNLOGGED;

-- truth: risky: the table moves out of the search path
-- base: shop
-- at: SET SCHEMA
-- proves: gone public.sessions

CREATE SCHEMA IF NOT EXISTS auth;
ALTER TABLE sessions SET SCHEMA auth;

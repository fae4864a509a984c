-- truth: risky: the columns of the extension's type go with it
-- base: rails
-- proves: gone public.users.login

DROP EXTENSION IF EXISTS citext CASCADE;

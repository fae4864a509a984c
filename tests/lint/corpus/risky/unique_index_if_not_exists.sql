-- truth: risky: a unique index is built while writers wait
-- base: rails
-- proves: scan public.users

CREATE UNIQUE INDEX IF NOT EXISTS index_users_on_login ON public.users USING btree (login);

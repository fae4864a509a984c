-- truth: risky: a volatile function of an extension
-- base: rails
-- at: ADD COLUMN
-- proves: rewrite public.users

CREATE EXTENSION IF NOT EXISTS pgcrypto;
ALTER TABLE public.users ADD COLUMN api_key text DEFAULT encode(public.gen_random_bytes(16), 'hex');

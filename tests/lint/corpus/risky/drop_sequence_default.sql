-- truth: risky: a default still needs the sequence
-- base: rails
-- proves: fails 2BP01

DROP SEQUENCE IF EXISTS public.articles_id_seq;

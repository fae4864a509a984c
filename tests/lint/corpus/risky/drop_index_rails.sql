-- truth: risky: remove_index without algorithm: :concurrently
-- base: rails
-- proves: lock public.articles ACCESS EXCLUSIVE
-- sending: transaction

DROP INDEX IF EXISTS "index_articles_on_title";

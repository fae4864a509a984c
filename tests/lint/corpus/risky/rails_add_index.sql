-- truth: risky: add_index without algorithm: :concurrently
-- base: rails
-- proves: scan public.articles
-- sending: transaction

CREATE INDEX "index_articles_on_published" ON "articles" ("published");

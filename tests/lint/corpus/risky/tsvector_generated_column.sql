-- truth: risky: the search column is computed for every row
-- base: rails
-- proves: rewrite public.articles

ALTER TABLE "articles" ADD COLUMN "search" tsvector
  GENERATED ALWAYS AS (to_tsvector('english', coalesce(title, '') || ' ' || coalesce(body, ''))) STORED;

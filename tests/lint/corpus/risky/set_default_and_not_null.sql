-- truth: risky: the second part reads the table
-- base: rails
-- proves: scan public.articles

ALTER TABLE "articles" ALTER COLUMN "views" SET DEFAULT 0, ALTER COLUMN "views" SET NOT NULL;

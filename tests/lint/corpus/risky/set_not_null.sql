-- truth: risky: the whole table is read under ACCESS EXCLUSIVE
-- base: rails
-- proves: scan public.articles

ALTER TABLE "articles" ALTER COLUMN "user_id" SET NOT NULL;

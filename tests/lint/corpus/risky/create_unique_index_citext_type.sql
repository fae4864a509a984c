-- truth: risky: varchar to citext builds the index anew under ACCESS EXCLUSIVE
-- base: rails
-- proves: scan public.articles

ALTER TABLE articles ALTER COLUMN title TYPE citext;

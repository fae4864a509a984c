-- truth: risky: integer to bigint rewrites
-- base: rails
-- proves: rewrite public.comments

ALTER TABLE "comments" ALTER COLUMN "id" TYPE bigint;

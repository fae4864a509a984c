-- truth: risky: Django's PositiveIntegerField brings a CHECK, which is checked under the lock
-- base: django
-- at: ADD COLUMN
-- proves: scan public.blog_comment

BEGIN;
--
-- Add field likes to comment
--
ALTER TABLE "blog_comment" ADD COLUMN "likes" integer DEFAULT 0 NOT NULL CHECK ("likes" >= 0);
ALTER TABLE "blog_comment" ALTER COLUMN "likes" DROP DEFAULT;
COMMIT;

-- truth: risky: RenameField
-- base: django
-- proves: gone public.blog_post.body

BEGIN;
--
-- Rename field body on post to content
--
ALTER TABLE "blog_post" RENAME COLUMN "body" TO "content";
COMMIT;

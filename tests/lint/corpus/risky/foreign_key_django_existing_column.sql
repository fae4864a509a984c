-- truth: risky: DEFERRABLE INITIALLY DEFERRED does not defer the check of what is there
-- base: django
-- proves: scan public.blog_comment

BEGIN;
--
-- Alter field post on comment
--
ALTER TABLE "blog_comment" ADD CONSTRAINT "blog_comment_post_id_580e96ef_fk_blog_post_id" FOREIGN KEY ("post_id") REFERENCES "blog_post" ("id") DEFERRABLE INITIALLY DEFERRED;
COMMIT;

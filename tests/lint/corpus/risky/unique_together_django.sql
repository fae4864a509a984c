-- truth: risky: AlterUniqueTogether
-- base: django
-- proves: scan public.blog_post

BEGIN;
ALTER TABLE "blog_post" ADD CONSTRAINT "blog_post_author_id_slug_8a1c_uniq" UNIQUE ("author_id", "slug");
COMMIT;

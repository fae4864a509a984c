-- truth: safe: Django's AddField with db_default: the default stays
-- base: django

BEGIN;
--
-- Add field featured to post
--
ALTER TABLE "blog_post" ADD COLUMN "featured" boolean DEFAULT false NOT NULL;
COMMIT;

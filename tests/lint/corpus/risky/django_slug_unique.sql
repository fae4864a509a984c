-- truth: risky: AlterField unique=True builds the key while writers wait
-- base: django
-- sending: transaction
-- at: UNIQUE ("slug")
-- proves: scan public.blog_post

--
-- Alter field slug on post
--
DROP INDEX IF EXISTS "blog_post_slug_b95473f2_gone";
ALTER TABLE "blog_post" ADD CONSTRAINT "blog_post_slug_b95473f2_uniq" UNIQUE ("slug");

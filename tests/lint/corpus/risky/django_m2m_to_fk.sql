-- truth: risky: RemoveField after AddField takes the old column away at once
-- base: django
-- sending: transaction
-- at: DROP COLUMN "rating"
-- proves: gone public.blog_post.rating

--
-- Add field score to post
--
ALTER TABLE "blog_post" ADD COLUMN "score" double precision NULL;
--
-- Remove field rating from post
--
ALTER TABLE "blog_post" DROP COLUMN "rating" CASCADE;

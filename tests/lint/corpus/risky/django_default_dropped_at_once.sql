-- truth: risky: Django drops the default in the same breath: INSERTs of the running release fail
-- base: django
-- at: DROP DEFAULT
-- proves: breaks INSERT INTO blog_post (title, slug, body, views, author_id) VALUES ('t', 's', 'b', 0, 1)

BEGIN;
--
-- Add field featured to post
--
ALTER TABLE "blog_post" ADD COLUMN "featured" boolean DEFAULT false NOT NULL;
ALTER TABLE "blog_post" ALTER COLUMN "featured" DROP DEFAULT;
COMMIT;

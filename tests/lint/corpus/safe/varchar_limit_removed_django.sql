-- truth: safe: AlterField to a longer CharField
-- base: django

BEGIN;
--
-- Alter field title on post
--
ALTER TABLE "blog_post" ALTER COLUMN "title" TYPE varchar(200);
COMMIT;

-- truth: safe: the check was validated by an earlier migration, and says more than needed
-- base: prisma
-- sending: one-query

-- history
UPDATE "Post" SET "likes" = 0;
ALTER TABLE "Post" ADD CONSTRAINT "Post_likes_check" CHECK ("likes" IS NOT NULL AND "likes" >= 0) NOT VALID;
ALTER TABLE "Post" VALIDATE CONSTRAINT "Post_likes_check";

-- migration
ALTER TABLE "Post" ALTER COLUMN "likes" SET NOT NULL;

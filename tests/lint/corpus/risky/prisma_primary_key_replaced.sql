-- truth: risky: what Prisma writes when the type of an id changes
-- base: prisma
-- sending: one-query
-- at: DROP COLUMN "id"
-- proves: rewrite public.Post
-- proves: answers SELECT max(id) FROM "Post" WHERE "authorId" = 'u7'

-- rows
DELETE FROM "Post" WHERE "authorId" = 'u3';
-- migration
-- Warnings:
--   - The primary key for the `Post` table will be changed.
ALTER TABLE "Post" DROP CONSTRAINT "Post_pkey",
DROP COLUMN "id",
ADD COLUMN     "id" SMALLSERIAL NOT NULL,
ADD CONSTRAINT "Post_pkey" PRIMARY KEY ("id");

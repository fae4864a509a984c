-- truth: risky: several changes in one ALTER, one of which scans
-- base: prisma
-- sending: one-query
-- at: ALTER TABLE "Post"
-- proves: scan public.Post

-- rows
UPDATE "Post" SET likes = 0;

-- migration
/*
  Warnings:

  - Made the column `likes` on table `Post` required. This step will fail if there are existing NULL values in that column.

*/
-- AlterTable
ALTER TABLE "Post" ADD COLUMN     "subtitle" TEXT,
ALTER COLUMN "likes" SET NOT NULL,
ALTER COLUMN "likes" SET DEFAULT 0;

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "bio" TEXT;

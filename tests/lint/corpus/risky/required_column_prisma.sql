-- truth: risky: Prisma warns of it itself
-- base: prisma
-- sending: one-query
-- proves: fails 23502

-- AlterTable
ALTER TABLE "Post" ADD COLUMN     "slug" TEXT NOT NULL;

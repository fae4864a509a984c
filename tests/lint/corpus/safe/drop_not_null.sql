-- truth: safe: a constraint less
-- base: prisma
-- sending: one-query

-- AlterTable
ALTER TABLE "Post" ALTER COLUMN "authorId" DROP NOT NULL;

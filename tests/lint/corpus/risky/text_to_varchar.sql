-- truth: risky: text to varchar(n) rewrites
-- base: prisma
-- sending: one-query
-- proves: rewrite public.Post

-- AlterTable
ALTER TABLE "Post" ALTER COLUMN "content" SET DATA TYPE VARCHAR(5000);

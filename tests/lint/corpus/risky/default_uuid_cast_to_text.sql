-- truth: risky: the cast around gen_random_uuid() changes nothing
-- base: prisma
-- sending: one-query
-- proves: rewrite public.User

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "publicId" TEXT NOT NULL DEFAULT gen_random_uuid()::text;

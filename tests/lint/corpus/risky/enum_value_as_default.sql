-- truth: risky: the default uses the value of the same transaction
-- base: prisma
-- sending: one-query
-- at: SET DEFAULT
-- proves: fails 55P04

-- AlterEnum
ALTER TYPE "Role" ADD VALUE 'GUEST';

-- AlterTable
ALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT 'GUEST';

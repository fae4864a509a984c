-- truth: safe: more digits of seconds
-- base: prisma

ALTER TABLE "User" ALTER COLUMN "createdAt" SET DATA TYPE TIMESTAMP(6);

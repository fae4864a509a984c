-- truth: risky: Prisma renames a field by dropping the column
-- base: prisma
-- proves: gone public.User.name

/*
  Warnings:

  - You are about to drop the column `name` on the `User` table. All the data in the column will be lost.

*/
-- AlterTable
ALTER TABLE "User" DROP COLUMN "name",
ADD COLUMN     "fullName" TEXT,
ADD COLUMN     "locale" TEXT NOT NULL DEFAULT 'en';

-- truth: risky: the column is dropped and made anew with another type
-- base: prisma
-- proves: answers SELECT count(*) FROM "User" WHERE role IS NOT NULL AND role::text = 'USER'

-- AlterTable
ALTER TABLE "User" DROP COLUMN "role",
ADD COLUMN     "role" TEXT[];

-- truth: risky: what TypeORM writes when a value of an enum goes away
-- base: prisma
-- sending: transaction
-- at: USING "role"
-- proves: rewrite public.User

ALTER TYPE "Role" RENAME TO "Role_old";
CREATE TYPE "Role" AS ENUM('USER', 'ADMIN', 'GUEST');
ALTER TABLE "User" ALTER COLUMN "role" DROP DEFAULT;
ALTER TABLE "User" ALTER COLUMN "role" TYPE "Role" USING "role"::"text"::"Role";
ALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT 'USER';
DROP TYPE "Role_old";

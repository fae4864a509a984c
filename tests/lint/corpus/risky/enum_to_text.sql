-- truth: risky: an enum becomes text row by row
-- base: prisma
-- at: ALTER COLUMN "role" TYPE
-- proves: rewrite public.User

BEGIN;
ALTER TABLE "User" ALTER COLUMN "role" DROP DEFAULT;
ALTER TABLE "User" ALTER COLUMN "role" TYPE text;
COMMIT;

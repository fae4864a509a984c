BEGIN;
--
-- Add field b to a
--
ALTER TABLE "a" ADD COLUMN "b" integer NULL;
COMMIT;

-- truth: risky: AlterField to BigAutoField
-- base: django
-- at: TYPE bigint
-- proves: rewrite public.auth_user

BEGIN;
--
-- Alter field id on user
--
ALTER TABLE "auth_user" ALTER COLUMN "id" TYPE bigint USING "id"::bigint;
COMMIT;

-- truth: risky: dotnet ef migrations script --idempotent wraps the type change in DO
-- base: ef
-- at: DO $EF$
-- proves: rewrite public.Customers

START TRANSACTION;

DO $EF$
BEGIN
    IF NOT EXISTS(SELECT 1 FROM "__EFMigrationsHistory" WHERE "MigrationId" = '20240401000000_Wide') THEN
    ALTER TABLE "Customers" ALTER COLUMN "Name" TYPE character varying(40);
    END IF;
END $EF$;
COMMIT;

-- truth: safe: only catalog work inside
-- base: ef

START TRANSACTION;

DO $EF$
BEGIN
    IF NOT EXISTS(SELECT 1 FROM "__EFMigrationsHistory" WHERE "MigrationId" = '20240401000000_Phone') THEN
    ALTER TABLE "Customers" ADD "Phone" character varying(30) NULL;
    END IF;
END $EF$;

DO $EF$
BEGIN
    IF NOT EXISTS(SELECT 1 FROM "__EFMigrationsHistory" WHERE "MigrationId" = '20240401000000_Phone') THEN
    INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
    VALUES ('20240401000000_Phone', '7.0.5');
    END IF;
END $EF$;
COMMIT;

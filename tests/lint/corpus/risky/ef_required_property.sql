-- truth: risky: EF makes a property required by an UPDATE of all rows
-- base: ef
-- at: UPDATE "Customers"
-- proves: changes public.Customers

START TRANSACTION;

UPDATE "Customers" SET "Email" = '' WHERE "Email" IS NULL;
ALTER TABLE "Customers" ALTER COLUMN "Email" SET NOT NULL;
ALTER TABLE "Customers" ALTER COLUMN "Email" SET DEFAULT '';

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20250301120000_EmailRequired', '8.0.4');

COMMIT;

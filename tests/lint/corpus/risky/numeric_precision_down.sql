-- truth: risky: less precision rewrites
-- base: ef
-- at: ALTER COLUMN
-- proves: rewrite public.Invoices

START TRANSACTION;

ALTER TABLE "Invoices" ALTER COLUMN "Total" TYPE numeric(12,2);

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20240301000000_SmallerTotals', '7.0.5');

COMMIT;

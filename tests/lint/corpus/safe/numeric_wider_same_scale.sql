-- truth: safe: more precision with the same scale
-- base: ef

START TRANSACTION;
ALTER TABLE "Invoices" ALTER COLUMN "Total" TYPE numeric(20,2);
ALTER TABLE "Invoices" ALTER COLUMN "Comment" TYPE character varying(500);
COMMIT;

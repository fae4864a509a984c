-- truth: risky: the key is dropped, made again, and checked
-- base: ef
-- at: ADD CONSTRAINT
-- proves: scan public.Invoices

START TRANSACTION;

ALTER TABLE "Invoices" DROP CONSTRAINT "FK_Invoices_Customers_CustomerId";

ALTER TABLE "Invoices" ADD CONSTRAINT "FK_Invoices_Customers_CustomerId" FOREIGN KEY ("CustomerId") REFERENCES "Customers" ("Id") ON DELETE RESTRICT;

COMMIT;

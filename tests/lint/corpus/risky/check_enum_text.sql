-- truth: risky: two checks, both proved on all rows
-- base: ef
-- proves: scan public.Customers

ALTER TABLE "Customers"
  ADD CONSTRAINT "CK_Customers_Name" CHECK (length("Name") > 0),
  ADD CONSTRAINT "CK_Customers_Email" CHECK ("Email" LIKE '%@%') NOT VALID;

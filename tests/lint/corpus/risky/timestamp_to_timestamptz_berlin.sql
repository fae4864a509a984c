-- truth: risky: the session's zone is not UTC: every value changes
-- base: ef
-- proves: rewrite public.Invoices
-- server: 15

SET TIME ZONE 'Europe/Berlin';
ALTER TABLE "Invoices" ALTER COLUMN "DueAt" TYPE timestamp with time zone;

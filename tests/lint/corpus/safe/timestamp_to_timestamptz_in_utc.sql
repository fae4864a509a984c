-- truth: safe: in a session in UTC, without an index on the column
-- base: ef

SET timezone = 'UTC';
ALTER TABLE "Invoices" ALTER COLUMN "DueAt" TYPE timestamp with time zone;

-- truth: safe: nullable columns in one transaction
-- base: ef
-- sending: transaction

ALTER TABLE "Customers" ADD COLUMN "Phone" VARCHAR(32);
ALTER TABLE "Customers" ADD COLUMN "Newsletter" BOOLEAN DEFAULT false NOT NULL;
COMMENT ON COLUMN "Customers"."Phone" IS 'E.164';
ALTER TABLE "Customers" ALTER COLUMN "Email" SET DEFAULT '';

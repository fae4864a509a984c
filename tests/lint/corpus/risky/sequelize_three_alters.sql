-- truth: risky: Sequelize's changeColumn
-- base: ef
-- at: TYPE BIGINT
-- proves: rewrite public.Customers

ALTER TABLE "Customers" ALTER COLUMN "Id" SET NOT NULL;ALTER TABLE "Customers" ALTER COLUMN "Id" TYPE BIGINT;

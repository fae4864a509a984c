-- proves: rewrite customers
ALTER TABLE customers ALTER COLUMN code TYPE bigint;

-- proves: nothing
SET lock_timeout = '2s';
ALTER TABLE customers ALTER COLUMN code TYPE bigint;

-- proves: leaves SELECT count(*) > 0 FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'AccessExclusiveLock'
BEGIN;
ALTER TABLE orders ADD COLUMN gift boolean;

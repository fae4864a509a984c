ALTER TABLE orders ADD COLUMN shipped timestamptz;
ALTER TABLE customers ADD COLUMN vip boolean;

-- One table: the second statement has the lock already.
BEGIN;
ALTER TABLE orders ADD COLUMN returned timestamptz;
ALTER TABLE orders ADD COLUMN paid timestamptz;
COMMIT;

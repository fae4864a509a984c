-- proves: nothing
ALTER TABLE orders ADD COLUMN shipped timestamptz;

-- proves: fails 23502
ALTER TABLE orders ADD COLUMN region text NOT NULL;

-- proves: leaves SELECT NOT attnotnull FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attname = 'email'
ALTER TABLE customers ALTER COLUMN email DROP NOT NULL;

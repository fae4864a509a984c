-- proves: leaves SELECT column_default LIKE '%open%' FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'status'
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';

-- truth: safe: another policy takes its place at once
-- base: shop

-- history
CREATE POLICY everybody ON sessions USING (true);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;

-- migration
BEGIN;
SET LOCAL lock_timeout = '2s';
DROP POLICY everybody ON sessions;
CREATE POLICY known ON sessions USING (customer_id IS NOT NULL);
COMMIT;

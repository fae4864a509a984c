-- truth: safe: the policy is there when row security is switched on
-- base: shop

BEGIN;
CREATE POLICY sessions_all ON sessions USING (true);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
COMMIT;

-- truth: risky: a policy uses the column: fails
-- base: shop
-- proves: fails 0A000

-- history
CREATE POLICY sessions_own ON sessions USING (customer_id = current_setting('app.customer', true)::bigint);

-- migration
ALTER TABLE sessions ALTER COLUMN customer_id TYPE integer;

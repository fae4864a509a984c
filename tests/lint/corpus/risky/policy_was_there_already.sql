-- truth: risky: the table has a policy of that name
-- base: shop
-- proves: fails 42710

-- history
CREATE POLICY own_rows ON sessions USING (true);
-- migration
CREATE POLICY own_rows ON sessions USING (customer_id IS NOT NULL);

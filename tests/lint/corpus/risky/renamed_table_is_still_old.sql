-- truth: risky: the table has a new name and all its rows
-- base: shop
-- at: CREATE INDEX
-- proves: scan public.sessions_v1

-- history
ALTER TABLE sessions RENAME TO sessions_v1;

-- migration
CREATE TABLE sessions (token uuid PRIMARY KEY, data text);
CREATE INDEX sessions_v1_customer_idx ON sessions_v1 (customer_id);

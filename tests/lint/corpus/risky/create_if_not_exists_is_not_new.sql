-- truth: risky: IF NOT EXISTS finds the table of old: the index is built on all its rows
-- base: shop
-- at: CREATE INDEX
-- proves: scan public.sessions

CREATE TABLE IF NOT EXISTS sessions (token uuid PRIMARY KEY, customer_id bigint, data text, expires_at timestamptz NOT NULL);
CREATE INDEX sessions_customer_idx ON sessions (customer_id);

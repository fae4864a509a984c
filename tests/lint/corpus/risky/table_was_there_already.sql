-- truth: risky: the table was there already, and has no such column
-- base: shop
-- at: CREATE INDEX
-- proves: fails 42703

CREATE TABLE IF NOT EXISTS sessions (
    token uuid PRIMARY KEY,
    customer_id bigint,
    user_agent text,
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_user_agent_idx ON sessions (user_agent);

-- truth: risky: an index predicate must not depend on the clock
-- base: shop
-- proves: fails 42P17

CREATE INDEX CONCURRENTLY sessions_live_idx ON sessions (customer_id) WHERE expires_at > now();

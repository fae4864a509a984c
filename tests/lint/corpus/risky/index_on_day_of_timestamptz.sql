-- truth: risky: the day depends on the time zone, so it cannot be indexed
-- base: shop
-- proves: fails 42P17

CREATE INDEX CONCURRENTLY sessions_expiry_day_idx ON sessions ((expires_at::date));

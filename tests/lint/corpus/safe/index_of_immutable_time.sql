-- truth: safe: in a named zone the day is the same for everybody
-- base: shop

CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_day_idx
  ON sessions (((expires_at AT TIME ZONE 'UTC')::date));
CREATE INDEX CONCURRENTLY orders_payload_ref_idx ON orders ((payload ->> 'ref')) WHERE payload ? 'ref';
CREATE INDEX CONCURRENTLY orders_since_idx ON orders (customer_id) WHERE placed_at >= '2024-01-01 00:00:00+00';

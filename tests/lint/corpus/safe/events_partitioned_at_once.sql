-- truth: safe: all of it is new, random defaults too
-- base: shop

CREATE TABLE events (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  kind text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  body jsonb NOT NULL DEFAULT '{}'::jsonb,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX ON events (kind, at DESC);
ALTER TABLE events ADD COLUMN source text DEFAULT md5(random()::text);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

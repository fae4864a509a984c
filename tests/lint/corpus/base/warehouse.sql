-- Several schemas, partitions of all kinds, inheritance.
CREATE SCHEMA app;
CREATE SCHEMA stats;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE app.tenants (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  plan text NOT NULL DEFAULT 'free',
  settings jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE app.documents (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES app.tenants (id),
  title varchar(200) NOT NULL,
  body text,
  search tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(body, ''))) STORED,
  period tsrange,
  owner_id integer,
  deleted_at timestamptz
);

-- Range partitions without a default.
CREATE TABLE stats.measurements (
  sensor_id integer NOT NULL,
  taken_at timestamptz NOT NULL,
  value double precision,
  quality smallint
) PARTITION BY RANGE (taken_at);
CREATE TABLE stats.measurements_2023 PARTITION OF stats.measurements
  FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE stats.measurements_2024 PARTITION OF stats.measurements
  FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');

-- With a default partition.
CREATE TABLE stats.visits (
  id bigint NOT NULL,
  day date NOT NULL,
  path text,
  PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE stats.visits_2024 PARTITION OF stats.visits
  FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE stats.visits_other PARTITION OF stats.visits DEFAULT;

-- To be attached.
CREATE TABLE stats.measurements_2025 (
  sensor_id integer NOT NULL,
  taken_at timestamptz NOT NULL,
  value double precision,
  quality smallint
);
CREATE TABLE stats.visits_2025 (id bigint NOT NULL, day date NOT NULL, path text, PRIMARY KEY (id, day));

CREATE TABLE app.people (id bigint PRIMARY KEY, name text, age integer);
CREATE TABLE app.employees (salary integer) INHERITS (app.people);

CREATE TABLE stats.sensors (id integer PRIMARY KEY, label text);

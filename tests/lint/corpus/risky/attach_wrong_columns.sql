-- truth: risky: the table to be attached has no such columns
-- base: warehouse
-- at: ATTACH PARTITION
-- proves: fails 42804

CREATE TABLE stats.measurements_2026 (sensor_id integer NOT NULL, taken_at timestamptz NOT NULL, value double precision);
ALTER TABLE stats.measurements ATTACH PARTITION stats.measurements_2026
  FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

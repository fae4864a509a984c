-- truth: safe: the attached table was made in this file and has no rows; no default partition
-- base: warehouse

CREATE TABLE stats.measurements_2026 (LIKE stats.measurements INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE stats.measurements ATTACH PARTITION stats.measurements_2026
  FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- truth: safe: the valid CHECK proves the bounds
-- base: warehouse

ALTER TABLE stats.measurements_2025 ADD CONSTRAINT measurements_2025_bounds
  CHECK (taken_at IS NOT NULL AND taken_at >= '2025-01-01' AND taken_at < '2026-01-01') NOT VALID;
ALTER TABLE stats.measurements_2025 VALIDATE CONSTRAINT measurements_2025_bounds;
ALTER TABLE stats.measurements ATTACH PARTITION stats.measurements_2025
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE stats.measurements_2025 DROP CONSTRAINT measurements_2025_bounds;

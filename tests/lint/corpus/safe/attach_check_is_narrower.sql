-- truth: safe: what the CHECK allows lies within the bounds
-- base: warehouse

-- history
ALTER TABLE stats.measurements_2025 ADD CONSTRAINT in_2025
  CHECK (taken_at >= '2025-01-02' AND taken_at < '2025-12-01');
-- migration
ALTER TABLE stats.measurements ATTACH PARTITION stats.measurements_2025
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

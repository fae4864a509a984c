-- truth: risky: the CHECK is NOT VALID and proves nothing
-- base: warehouse
-- at: ATTACH PARTITION
-- proves: scan stats.measurements_2025

ALTER TABLE stats.measurements_2025 ADD CONSTRAINT bounds
  CHECK (taken_at >= '2025-01-01' AND taken_at < '2026-01-01') NOT VALID;
ALTER TABLE stats.measurements ATTACH PARTITION stats.measurements_2025
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

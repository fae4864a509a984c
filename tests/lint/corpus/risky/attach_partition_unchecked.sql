-- truth: risky: no CHECK proves the bounds: the new partition is read under ACCESS EXCLUSIVE
-- base: warehouse
-- proves: scan stats.measurements_2025

ALTER TABLE stats.measurements ATTACH PARTITION stats.measurements_2025
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- truth: risky: the partition has its CHECK, the default partition has none
-- base: warehouse
-- at: ATTACH PARTITION
-- proves: scan stats.visits_other

-- history
ALTER TABLE stats.visits_2025 ADD CONSTRAINT visits_2025_bounds
  CHECK (day >= '2025-01-01' AND day < '2026-01-01');

-- migration
ALTER TABLE stats.visits ATTACH PARTITION stats.visits_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

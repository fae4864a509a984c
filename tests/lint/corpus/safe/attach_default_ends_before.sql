-- truth: safe: the CHECK of the default partition ends years before
-- base: warehouse

-- history
ALTER TABLE stats.visits_2025 ADD CONSTRAINT in_2025
  CHECK (day >= '2025-01-01' AND day < '2026-01-01');
ALTER TABLE stats.visits_other ADD CONSTRAINT early CHECK (day < '2024-01-01');
-- migration
ALTER TABLE stats.visits ATTACH PARTITION stats.visits_2025
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

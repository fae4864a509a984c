-- truth: safe: a CHECK on the new partition and one on the default partition
-- base: warehouse

ALTER TABLE stats.visits_2025 ADD CONSTRAINT visits_2025_bounds
  CHECK (day >= DATE '2025-01-01' AND day < DATE '2026-01-01') NOT VALID;
ALTER TABLE stats.visits_2025 VALIDATE CONSTRAINT visits_2025_bounds;
ALTER TABLE stats.visits_other ADD CONSTRAINT visits_other_not_2025
  CHECK (NOT (day >= DATE '2025-01-01' AND day < DATE '2026-01-01')) NOT VALID;
ALTER TABLE stats.visits_other VALIDATE CONSTRAINT visits_other_not_2025;
ALTER TABLE stats.visits ATTACH PARTITION stats.visits_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- truth: safe: filled aside, proved, attached
-- base: warehouse

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE stats.measurements_2025 ADD CONSTRAINT m_2025_bound
  CHECK (taken_at >= '2025-01-01' AND taken_at < '2026-01-01') NOT VALID;
COMMIT;
ALTER TABLE stats.measurements_2025 VALIDATE CONSTRAINT m_2025_bound;
ALTER TABLE stats.measurements ATTACH PARTITION stats.measurements_2025
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- truth: risky: every partition is read
-- base: warehouse
-- proves: scan stats.measurements_2023

ALTER TABLE stats.measurements ALTER COLUMN value SET NOT NULL;

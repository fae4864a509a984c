-- truth: risky: the partition key's type cannot change
-- base: warehouse
-- proves: fails 42P16

ALTER TABLE stats.measurements ALTER COLUMN taken_at TYPE timestamp;

-- truth: risky: the column is part of the partition key
-- base: warehouse
-- proves: fails 42P16

ALTER TABLE stats.visits DROP COLUMN day;

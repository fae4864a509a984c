-- truth: risky: a unique index of a partitioned table needs the partition key
-- base: warehouse
-- proves: fails 0A000

CREATE UNIQUE INDEX IF NOT EXISTS visits_id_key ON stats.visits (id);

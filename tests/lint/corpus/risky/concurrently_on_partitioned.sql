-- truth: risky: CONCURRENTLY is not for partitioned tables
-- base: warehouse
-- proves: fails 0A000

CREATE INDEX CONCURRENTLY measurements_sensor_idx ON stats.measurements (sensor_id);

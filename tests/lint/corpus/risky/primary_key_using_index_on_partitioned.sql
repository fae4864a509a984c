-- truth: risky: USING INDEX is not for partitioned tables
-- base: warehouse
-- proves: fails 0A000

-- history
CREATE UNIQUE INDEX measurements_uq ON stats.measurements (sensor_id, taken_at);

-- migration
ALTER TABLE stats.measurements ADD CONSTRAINT measurements_pk PRIMARY KEY USING INDEX measurements_uq;

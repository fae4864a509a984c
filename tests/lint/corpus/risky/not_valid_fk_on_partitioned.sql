-- truth: risky: NOT VALID foreign keys are not for partitioned tables
-- base: warehouse
-- proves: fails 42809
-- until: 17

ALTER TABLE stats.measurements ADD CONSTRAINT measurements_sensor_fk
  FOREIGN KEY (sensor_id) REFERENCES stats.sensors (id) NOT VALID;

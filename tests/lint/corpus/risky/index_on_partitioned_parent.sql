-- truth: risky: without ONLY it is built on every partition
-- base: warehouse
-- proves: scan stats.measurements_2023

CREATE INDEX measurements_sensor_idx ON stats.measurements (sensor_id);

-- truth: risky: one partition is a table too
-- base: warehouse
-- proves: scan stats.measurements_2024

CREATE INDEX measurements_2024_sensor_idx ON stats.measurements_2024 USING btree (sensor_id, taken_at DESC) INCLUDE (value);

-- truth: safe: ON ONLY makes an empty index, the partitions' own are built concurrently and attached
-- base: warehouse

CREATE INDEX measurements_sensor_idx ON ONLY stats.measurements (sensor_id);
CREATE INDEX CONCURRENTLY measurements_2023_sensor_idx ON stats.measurements_2023 (sensor_id);
CREATE INDEX CONCURRENTLY measurements_2024_sensor_idx ON stats.measurements_2024 (sensor_id);
ALTER INDEX stats.measurements_sensor_idx ATTACH PARTITION stats.measurements_2023_sensor_idx;
ALTER INDEX stats.measurements_sensor_idx ATTACH PARTITION stats.measurements_2024_sensor_idx;

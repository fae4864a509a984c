-- truth: safe: an instant of a lock, and nothing to be read under it
-- base: warehouse

CREATE TABLE IF NOT EXISTS stats.measurements_2027 PARTITION OF stats.measurements FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE INDEX ON stats.measurements_2027 (sensor_id);

-- truth: risky: the key is built on every partition, one after the other, under one lock
-- base: warehouse
-- proves: scan stats.measurements_2023
-- proves: lock stats.measurements ACCESS EXCLUSIVE

SET lock_timeout = '5s';
ALTER TABLE stats.measurements ADD CONSTRAINT measurements_pkey PRIMARY KEY (sensor_id, taken_at);

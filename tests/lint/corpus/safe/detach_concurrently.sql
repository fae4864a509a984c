-- truth: safe: readers and writers of the parent go on
-- base: warehouse
-- server: 14

ALTER TABLE stats.measurements DETACH PARTITION stats.measurements_2023 CONCURRENTLY;

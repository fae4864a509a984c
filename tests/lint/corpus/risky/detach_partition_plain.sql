-- truth: risky: ACCESS EXCLUSIVE on the parent where CONCURRENTLY would not
-- base: warehouse
-- proves: lock stats.measurements ACCESS EXCLUSIVE

ALTER TABLE stats.measurements DETACH PARTITION stats.measurements_2023;

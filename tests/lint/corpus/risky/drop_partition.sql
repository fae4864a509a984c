-- truth: risky: the rows of a year go, and the parent is locked
-- base: warehouse
-- proves: lock stats.measurements ACCESS EXCLUSIVE
-- proves: gone stats.measurements_2023

DROP TABLE IF EXISTS stats.measurements_2023;

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE UNIQUE INDEX i ON t (b, a) INCLUDE (c) NULLS NOT DISTINCT WHERE a > -1;
-- statement
ALTER TABLE t ALTER a TYPE bigint;
-- except column-order
-- from 15

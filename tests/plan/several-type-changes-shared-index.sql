-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b text, c int NOT NULL, d int NOT NULL);
INSERT INTO t SELECT i, i % 7, 'r' || i, i, i FROM generate_series(1, 200) i;
CREATE INDEX both_idx ON t (c, d); CREATE INDEX mixed_idx ON t (a, d);
-- statement
ALTER TABLE t ALTER c TYPE bigint, ALTER d TYPE bigint, DROP COLUMN a, ADD COLUMN e int;
-- except column-order

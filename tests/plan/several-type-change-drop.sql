-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b text, c int NOT NULL, d int NOT NULL);
INSERT INTO t SELECT i, i % 7, 'r' || i, i, i FROM generate_series(1, 200) i;
CREATE INDEX ON t (c); CREATE INDEX ON t (b);
-- statement
ALTER TABLE t ALTER c TYPE bigint, DROP COLUMN a, ADD COLUMN e int NOT NULL DEFAULT 5, ADD CHECK (d > 0), ADD CONSTRAINT two CHECK (c > 0);
-- except column-order

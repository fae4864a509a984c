-- setup
CREATE TABLE t (a int, b int, c int, CONSTRAINT u UNIQUE (a) DEFERRABLE); INSERT INTO t SELECT i, i, i FROM generate_series(1, 100) i;
-- statement
ALTER TABLE t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE (a, b);

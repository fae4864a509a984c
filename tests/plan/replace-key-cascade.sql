-- setup
CREATE TABLE t (a int PRIMARY KEY, b int, c int); INSERT INTO t SELECT i, i, i FROM generate_series(1, 100) i;
CREATE TABLE u (t int REFERENCES t); INSERT INTO u SELECT a FROM t;
-- statement
ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE, ADD CONSTRAINT t_key PRIMARY KEY (a, b) INCLUDE (c);

-- setup
CREATE TABLE t (a int PRIMARY KEY, b int, c int); INSERT INTO t SELECT i, i, i FROM generate_series(1, 100) i;
-- statement
ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT t_pk PRIMARY KEY (a) INCLUDE (c);

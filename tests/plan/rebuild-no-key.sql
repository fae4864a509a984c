-- setup
CREATE TABLE t (id bigint, a int);
INSERT INTO t SELECT i, i % 7 FROM generate_series(1, 200) i;
-- statement
ALTER TABLE t SET UNLOGGED;
-- answer least-bad

-- setup
CREATE TABLE t (a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
-- statement
ALTER TABLE t ADD PRIMARY KEY (a, b);

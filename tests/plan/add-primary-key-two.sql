-- setup
CREATE TABLE t (x int, y int); INSERT INTO t SELECT i, i FROM generate_series(1, 50) i;
-- statement
ALTER TABLE t ADD PRIMARY KEY (x, y);

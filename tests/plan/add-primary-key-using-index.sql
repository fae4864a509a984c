-- setup
CREATE TABLE t (a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
CREATE UNIQUE INDEX u ON t (a);
-- statement
ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX u;

-- setup
CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t); INSERT INTO t SELECT i, NULL FROM generate_series(1, 50) i;
-- statement
ALTER TABLE t ALTER id TYPE bigint;

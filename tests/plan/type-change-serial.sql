-- setup
CREATE TABLE t (id serial PRIMARY KEY, b text); INSERT INTO t (b) SELECT 'r' FROM generate_series(1, 50);
-- statement
ALTER TABLE t ALTER id TYPE bigint;
-- except column-order

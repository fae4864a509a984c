-- setup
CREATE TABLE t (id serial PRIMARY KEY, b text); INSERT INTO t (b) SELECT 'r' FROM generate_series(1, 50);
CREATE TABLE q (t_id int REFERENCES t ON DELETE CASCADE, u int CONSTRAINT to_t REFERENCES t (id) NOT NULL); INSERT INTO q SELECT i, i FROM generate_series(1, 50) i;
-- statement
ALTER TABLE t ALTER id TYPE bigint;
-- except column-order

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
ALTER TABLE t CLUSTER ON t_pkey;
-- statement
CLUSTER t;
-- answer least-bad

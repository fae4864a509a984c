-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
CREATE INDEX t_a ON t (a);
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
-- statement
CLUSTER t USING t_a;
-- answer least-bad

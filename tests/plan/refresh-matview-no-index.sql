-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t; INSERT INTO t VALUES (999, 9, '', '2024-01-01');
-- statement
REFRESH MATERIALIZED VIEW m;
-- answer least-bad

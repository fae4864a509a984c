-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE INDEX i ON t (a DESC NULLS LAST, b text_pattern_ops) WITH (fillfactor = 70); CREATE INDEX j ON t ((a + 1)) WHERE a IS NOT NULL; COMMENT ON INDEX j IS 'c'; ALTER TABLE t CLUSTER ON i;
-- statement
ALTER TABLE t ALTER a TYPE bigint;
-- except column-order

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
ALTER TABLE t ALTER a SET DEFAULT 5, ALTER a SET NOT NULL, ALTER a SET STATISTICS 77, ALTER a SET (n_distinct = -0.5); COMMENT ON COLUMN t.a IS 'it''s a'; GRANT SELECT (a), UPDATE (a) ON t TO PUBLIC; CREATE STATISTICS st ON (a + 1) FROM t;
-- statement
ALTER TABLE t ALTER a TYPE numeric(10, 2);
-- except column-order

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE VIEW v AS SELECT a, b FROM t; CREATE VIEW w WITH (security_barrier = true) AS SELECT x.a FROM v x JOIN t USING (b); GRANT SELECT ON w TO PUBLIC; COMMENT ON VIEW v IS 'seen';
-- statement
ALTER TABLE t ALTER a TYPE bigint;
-- plain
DROP VIEW w, v; ALTER TABLE t ALTER a TYPE bigint;
CREATE VIEW v AS SELECT a, b FROM t; CREATE VIEW w WITH (security_barrier = true) AS SELECT x.a FROM v x JOIN t USING (b); GRANT SELECT ON w TO PUBLIC; COMMENT ON VIEW v IS 'seen';
-- except column-order

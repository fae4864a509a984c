-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE INDEX ON t (a); CREATE UNIQUE INDEX odd ON t (b, a DESC) INCLUDE (c) WHERE a >= 0; CREATE INDEX expr ON t ((a + 1)); CREATE INDEX f ON t (a) WITH (fillfactor = 50); COMMENT ON INDEX f IS 'half';
-- statement
ALTER TABLE t ALTER a TYPE bigint;
-- except column-order

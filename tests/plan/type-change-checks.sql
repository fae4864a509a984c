-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
ALTER TABLE t ADD CHECK (a >= 0), ADD CONSTRAINT two CHECK (a < id OR b IS NOT NULL) NO INHERIT, ADD CONSTRAINT later CHECK (a < 100) NOT VALID; COMMENT ON CONSTRAINT two ON t IS 'two';
-- statement
ALTER TABLE t ALTER a TYPE bigint;
-- except column-order

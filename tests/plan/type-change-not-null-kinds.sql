-- from 18
-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int CONSTRAINT must NOT NULL NO INHERIT, b int CONSTRAINT may NOT NULL, c int);
INSERT INTO t SELECT i, i % 7, i, i FROM generate_series(1, 200) i;
ALTER TABLE t ADD CONSTRAINT later NOT NULL c NOT VALID;
COMMENT ON CONSTRAINT may ON t IS 'for a reason';
-- statement
ALTER TABLE t ALTER a TYPE bigint, ALTER b TYPE bigint, ALTER c TYPE bigint;
-- except column-order

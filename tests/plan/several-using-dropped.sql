-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c int);
INSERT INTO t SELECT i, i % 7, i, i FROM generate_series(1, 200) i;
-- statement
ALTER TABLE t DROP COLUMN b, ALTER a TYPE bigint USING b::bigint, DROP COLUMN c;
-- except column-order

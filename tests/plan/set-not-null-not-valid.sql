-- from 18
-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);
INSERT INTO t SELECT i, i % 7, i FROM generate_series(1, 200) i;
ALTER TABLE t ADD CONSTRAINT later NOT NULL a NOT VALID;
-- statement
ALTER TABLE t ALTER a SET NOT NULL;

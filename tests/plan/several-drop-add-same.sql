-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b text, c int, CONSTRAINT t_b_check CHECK (b <> '' AND a < 100));
INSERT INTO t SELECT i, i % 7, 'r' || i, i FROM generate_series(1, 200) i;
-- statement
ALTER TABLE t DROP COLUMN a, ADD COLUMN a text DEFAULT 'new', ADD CHECK (b <> 'x'), ALTER c SET NOT NULL;
-- except column-order

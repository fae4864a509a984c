-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int CONSTRAINT must NOT NULL, "B c" int CONSTRAINT "It's" NOT NULL);
INSERT INTO t SELECT i, i % 7, i FROM generate_series(1, 200) i;
-- statement
ALTER TABLE t ALTER a TYPE bigint, ALTER "B c" TYPE text;
-- except column-order

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b text, c int);
INSERT INTO t SELECT i, i, 'r' || i, i FROM generate_series(1, 200) i;
-- statement
ALTER TABLE t DROP COLUMN id, ADD PRIMARY KEY (a), ADD COLUMN d int, DROP CONSTRAINT IF EXISTS nothing, ALTER c SET DEFAULT 9;

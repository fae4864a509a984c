-- setup
CREATE TABLE t (id bigint PRIMARY KEY, "Group" int NOT NULL, made date NOT NULL, b text);
INSERT INTO t SELECT i, i % 7, '2024-01-01'::date + i % 30, 'r' || i FROM generate_series(1, 200) i;
CREATE INDEX of_group ON t ("Group", made);
-- statement
CLUSTER VERBOSE t USING of_group;

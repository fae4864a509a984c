-- setup
CREATE TABLE t (id bigint NOT NULL, a int, b text) PARTITION BY LIST (a);
CREATE TABLE t_x PARTITION OF t FOR VALUES IN (1, 2, 3);
CREATE TABLE t_rest PARTITION OF t DEFAULT;
INSERT INTO t SELECT i, i % 3 + 1, 'r' || i FROM generate_series(1, 700) i; INSERT INTO t VALUES (701, 9, 'r');
CREATE TABLE n (id bigint NOT NULL, a int, b text); INSERT INTO n VALUES (1, 7, 'x'), (2, NULL, 'y');
-- statement
ALTER TABLE t ATTACH PARTITION n FOR VALUES IN (NULL, 7, 8);

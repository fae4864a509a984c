-- setup
CREATE TABLE t (id int, s varchar(10)); INSERT INTO t VALUES (1, 'x');
CREATE VIEW v AS SELECT id, s FROM t;
-- statement
ALTER TABLE t ALTER s TYPE varchar(20);
-- plain
DROP VIEW v; ALTER TABLE t ALTER s TYPE varchar(20);
CREATE VIEW v AS SELECT id, s FROM t;

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, "a b" int, b text);
INSERT INTO t SELECT i, i, 'r' || i FROM generate_series(1, 200) i;
ALTER TABLE t ADD CONSTRAINT "u u" UNIQUE ("a b") INCLUDE (b) WITH (fillfactor = 70);
-- statement
ALTER TABLE t DROP CONSTRAINT "u u", ADD CONSTRAINT v UNIQUE (b, "a b");

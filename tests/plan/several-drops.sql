-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b text, "C c" int NOT NULL, d int NOT NULL DEFAULT 4);
INSERT INTO t SELECT i, i % 7, 'r' || i, i, i FROM generate_series(1, 200) i;
CREATE INDEX ON t (a, d); CREATE VIEW v AS SELECT id, d FROM t;
-- statement
ALTER TABLE t DROP COLUMN a, DROP COLUMN IF EXISTS nowhere, DROP COLUMN "C c", DROP COLUMN d CASCADE;

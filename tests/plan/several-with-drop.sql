-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b text, c int DEFAULT 3, d int NOT NULL);
INSERT INTO t SELECT i, i % 7, 'r' || i, i, i FROM generate_series(1, 200) i;
CREATE INDEX ON t (a, d);
-- statement
ALTER TABLE t DROP COLUMN a, ADD COLUMN e uuid NOT NULL DEFAULT '0e6f2f3c-6a0b-4a76-8b3f-0d3fbb5c9a11', ADD CONSTRAINT ck CHECK (c < 1000), ALTER b SET NOT NULL, SET (fillfactor = 80), DROP COLUMN d;

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE INDEX i ON t USING gist (to_tsvector('simple', b) tsvector_ops (siglen = 100)) WITH (fillfactor = 70) WHERE a > 5; ALTER TABLE t ADD CONSTRAINT u UNIQUE (a) WITH (fillfactor = 50);
-- statement
ALTER TABLE t ALTER a TYPE bigint;
-- except column-order

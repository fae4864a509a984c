-- setup
CREATE TABLE t (id bigint NOT NULL, at date NOT NULL, a int, b text, j jsonb, CONSTRAINT k PRIMARY KEY (id, at) WITH (fillfactor = 60)) PARTITION BY RANGE (at);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX ON t (a) WITH (deduplicate_items = off, fillfactor = 70); CREATE INDEX ON t USING gin (j jsonb_path_ops) WITH (fastupdate = off); CREATE INDEX ON t USING gist (to_tsvector('simple', b) tsvector_ops (siglen = 100));
INSERT INTO t SELECT i, date '2024-01-01' + i, i % 4, 'r' || i, '{}' FROM generate_series(1, 300) i;
CREATE TABLE n (id bigint NOT NULL, at date NOT NULL, a int, b text, j jsonb); INSERT INTO n SELECT i, date '2025-01-01' + i, i % 2, 'n' FROM generate_series(1, 100) i;
-- statement
ALTER TABLE t ATTACH PARTITION n FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

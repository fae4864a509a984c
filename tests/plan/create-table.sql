-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
-- statement
CREATE TABLE n (id int PRIMARY KEY, t_id bigint REFERENCES t, u text UNIQUE);
CREATE INDEX ON n (t_id);
ALTER TABLE n ADD CHECK (id > 0);
COMMENT ON TABLE n IS 'new';
-- answer as-is

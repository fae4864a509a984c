-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE TABLE p (k int PRIMARY KEY); INSERT INTO p SELECT generate_series(0, 10);
-- statement
ALTER TABLE t ADD COLUMN d int;
UPDATE t SET d = a;
ALTER TABLE t ALTER d SET NOT NULL;
CREATE INDEX ON t (d);
ALTER TABLE t ADD FOREIGN KEY (d) REFERENCES p;
-- answer mixed

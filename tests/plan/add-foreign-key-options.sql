-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE TABLE p (x int, y text, UNIQUE (x, y)); INSERT INTO p SELECT i % 7, 'r' || i FROM generate_series(1, 200) i;
-- statement
ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES p (x, y) MATCH FULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;

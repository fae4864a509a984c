-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE DOMAIN dom AS int; CREATE TABLE q (d dom); INSERT INTO q VALUES (1);
-- statement
ALTER DOMAIN dom ADD CHECK (VALUE > 0);
-- answer least-bad

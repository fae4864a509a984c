-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE FUNCTION volatile_one() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN ''x''; END';
-- statement
ALTER TABLE t ADD d text NOT NULL DEFAULT volatile_one();

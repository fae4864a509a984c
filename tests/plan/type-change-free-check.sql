-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
ALTER TABLE t ADD v varchar(20) DEFAULT 'v'; ALTER TABLE t ADD CONSTRAINT vv CHECK (v <> ''), ADD CONSTRAINT ww CHECK (v <> 'w') NOT VALID;
COMMENT ON CONSTRAINT vv ON t IS 'not empty'; COMMENT ON CONSTRAINT ww ON t IS 'no w';
CREATE TABLE below () INHERITS (t); COMMENT ON CONSTRAINT vv ON below IS 'nor here';
-- statement
ALTER TABLE t ALTER v TYPE varchar(50);
-- plain
ALTER TABLE t ALTER v TYPE varchar(50); COMMENT ON CONSTRAINT vv ON below IS 'nor here';

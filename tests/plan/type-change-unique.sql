-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
ALTER TABLE t ADD UNIQUE (b) DEFERRABLE INITIALLY DEFERRED, ADD CONSTRAINT wide UNIQUE NULLS NOT DISTINCT (b, a) INCLUDE (id);
-- statement
ALTER TABLE t ALTER b TYPE varchar(20);
-- except column-order
-- from 15

-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);
INSERT INTO t SELECT i, i, 'r' || i FROM generate_series(1, 200) i;
ALTER TABLE t ADD CONSTRAINT a_alone EXCLUDE USING btree (a WITH =);
-- statement
ALTER TABLE t ALTER a TYPE bigint;

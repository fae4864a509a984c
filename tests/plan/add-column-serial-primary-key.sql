-- setup
CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100);
-- statement
ALTER TABLE t ADD COLUMN id bigserial PRIMARY KEY;
-- except rows

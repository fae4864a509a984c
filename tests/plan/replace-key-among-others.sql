-- setup
CREATE TABLE t (id int CONSTRAINT t_pkey PRIMARY KEY, a bigint NOT NULL, b int, c int CHECK (c > 0), gone int);
INSERT INTO t SELECT g, g * 10, g % 7, g, g FROM generate_series(1, 500) g;
-- statement
ALTER TABLE t ADD COLUMN d int NOT NULL DEFAULT 4, DROP CONSTRAINT t_pkey, DROP COLUMN gone,
  ADD CONSTRAINT t_pkey PRIMARY KEY (a, d), ALTER b TYPE bigint, ADD CHECK (b >= 0);
-- except column-order

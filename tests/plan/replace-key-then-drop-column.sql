-- setup
CREATE TABLE t (id int CONSTRAINT t_pkey PRIMARY KEY, a bigint, b int);
INSERT INTO t SELECT g, g * 10, g % 7 FROM generate_series(1, 500) g;
-- statement
ALTER TABLE t DROP CONSTRAINT t_pkey, DROP COLUMN id, ADD PRIMARY KEY (a), ADD UNIQUE (b, a);

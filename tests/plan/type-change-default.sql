-- setup
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, m text DEFAULT 'ok'); INSERT INTO t SELECT i FROM generate_series(1, 50) i;
-- statement
ALTER TABLE t ALTER m DROP DEFAULT, ALTER m TYPE mood USING m::mood, ALTER m SET DEFAULT 'sad';
-- except column-order

-- setup
CREATE TABLE t (id serial PRIMARY KEY, b text);
-- statement
ALTER TABLE t ALTER id DROP DEFAULT;
-- answer as-is

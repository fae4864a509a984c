-- setup
CREATE UNLOGGED TABLE t (id bigint PRIMARY KEY);
-- statement
ALTER TABLE t SET LOGGED;

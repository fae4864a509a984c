-- truth: safe: what the file made itself
-- base: shop

CREATE TABLE scratch (id bigserial PRIMARY KEY, v integer);
CREATE VIEW scratch_view AS SELECT * FROM scratch;
CREATE MATERIALIZED VIEW scratch_mat AS SELECT * FROM scratch;
CREATE FUNCTION scratch_fn() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE scratch_type AS (a int, b text);
CREATE SEQUENCE scratch_seq;
DROP SEQUENCE scratch_seq;
DROP TYPE scratch_type;
DROP FUNCTION scratch_fn();
DROP MATERIALIZED VIEW scratch_mat;
DROP VIEW scratch_view;
TRUNCATE scratch;
DROP TABLE scratch;

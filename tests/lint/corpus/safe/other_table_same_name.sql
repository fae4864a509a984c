-- truth: safe: the search_path leads to the new table, not to the old one of the same name
-- base: warehouse

CREATE SCHEMA staging;
SET search_path TO staging, public;
CREATE TABLE tenants (id bigint, name text);
CREATE INDEX tenants_name_idx ON tenants (name);
ALTER TABLE tenants ALTER COLUMN name SET NOT NULL;

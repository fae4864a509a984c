-- truth: risky: a permanent table cannot point at a temporary one
-- base: shop
-- proves: fails 42P16

CREATE TEMP TABLE regions (id integer PRIMARY KEY, name text);
CREATE TABLE shops (id bigint PRIMARY KEY, region_id integer REFERENCES regions (id));

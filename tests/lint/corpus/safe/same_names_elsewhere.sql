-- truth: safe: the names are taken in another schema, or by other arguments
-- base: shop

CREATE SCHEMA archive;
CREATE TYPE archive.order_status AS ENUM ('kept', 'gone');
CREATE TABLE archive.orders (id bigint PRIMARY KEY, status archive.order_status);
CREATE VIEW archive.open_orders AS SELECT id FROM archive.orders;
CREATE SEQUENCE archive.customers_id_seq;
CREATE FUNCTION next_code(prefix text) RETURNS text LANGUAGE sql AS $$ SELECT prefix || '1' $$;
CREATE TEMPORARY VIEW open_orders AS SELECT 1 AS id;

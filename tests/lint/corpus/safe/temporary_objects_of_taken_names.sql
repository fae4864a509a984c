-- truth: safe: temporary objects have a schema of their own
-- base: shop

CREATE TEMP SEQUENCE orders_id_seq;
CREATE TEMP TABLE payments (id bigint PRIMARY KEY, note text);
CREATE INDEX orders_reference_idx ON payments (note);
CREATE TEMP VIEW open_orders AS SELECT 1 AS id;
CREATE TEMPORARY SEQUENCE IF NOT EXISTS products_id_seq;
DROP VIEW pg_temp.open_orders;
DROP TABLE pg_temp.payments;

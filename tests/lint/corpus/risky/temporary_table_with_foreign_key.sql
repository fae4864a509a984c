-- truth: risky: a temporary table cannot point at a permanent one
-- base: shop
-- proves: fails 42P16

CREATE TEMP TABLE fixes (order_id bigint REFERENCES orders (id), note text);

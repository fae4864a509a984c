-- truth: risky: the new table is free, the index on the old one is not
-- base: shop
-- at: ON orders
-- proves: scan public.orders

CREATE TABLE refunds (id bigserial PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id), amount integer NOT NULL);
CREATE INDEX refunds_order_id_idx ON refunds (order_id);
CREATE INDEX orders_note_idx ON orders (note);

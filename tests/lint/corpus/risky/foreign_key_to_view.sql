-- truth: risky: a foreign key points at tables only
-- base: shop
-- proves: fails 42809

CREATE TABLE order_flags (id bigint PRIMARY KEY, order_id bigint REFERENCES open_orders (id));

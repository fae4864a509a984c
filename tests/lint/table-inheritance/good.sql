CREATE TABLE order_weights (order_id bigint PRIMARY KEY, weight integer);

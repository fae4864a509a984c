-- truth: safe: reads orders, blocks nobody
-- base: shop

CREATE TABLE order_archive (id bigint PRIMARY KEY, amount integer);
INSERT INTO order_archive SELECT id, amount FROM orders WHERE id < 1000;

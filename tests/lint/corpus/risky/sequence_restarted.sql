-- truth: risky: the next inserts meet ids that are taken
-- base: shop
-- proves: breaks INSERT INTO orders (customer_id, amount, status) VALUES (1, 1, 'new')

ALTER SEQUENCE orders_id_seq RESTART WITH 1;

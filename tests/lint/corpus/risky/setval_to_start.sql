-- truth: risky: the next inserts meet ids that are taken
-- base: shop
-- proves: breaks INSERT INTO orders (customer_id, amount, status) VALUES (1, 1, 'new')

-- rows
INSERT INTO orders (customer_id, amount, status) VALUES (1, 1, 'new');

-- migration
SELECT setval('orders_id_seq', 1, false);

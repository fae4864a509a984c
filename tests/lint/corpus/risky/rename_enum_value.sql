-- truth: risky: the old word is no longer accepted
-- base: shop
-- proves: breaks INSERT INTO orders (customer_id, status) VALUES (1, 'paid')

ALTER TYPE order_status RENAME VALUE 'paid' TO 'settled';

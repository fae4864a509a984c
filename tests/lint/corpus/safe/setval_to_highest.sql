-- truth: safe: the sequence is set behind the rows
-- base: shop

SELECT setval('orders_id_seq', (SELECT max(id) FROM orders));
SELECT setval(pg_get_serial_sequence('customers', 'id'), coalesce(max(id), 1)) FROM customers;

INSERT INTO customers (email, full_name, nickname, level, birthday, last_seen)
  SELECT 'u' || n || '@example.org', 'Name ' || n, 'nick', n % 5, '1990-01-01', now()
  FROM generate_series(1, 2000) n;
INSERT INTO products (sku, title, price, attributes, tags, weight)
  SELECT 'SKU' || n, 'Product ' || n, n % 100, '{}', '{a}', 1.5 FROM generate_series(1, 2000) n;
INSERT INTO orders (customer_id, amount, note, reference, placed_at, shipped_at, payload)
  SELECT n, n, 'note', 'R' || n, now() - n * interval '1 day', now(), '{}'
  FROM generate_series(1, 2000) n;
INSERT INTO order_lines SELECT n, 1, n, 1, 0, 'memo' FROM generate_series(1, 2000) n;
INSERT INTO sessions SELECT gen_random_uuid(), n, 'x', now() FROM generate_series(1, 2000) n;
INSERT INTO payments SELECT n, n, n, 'p' FROM generate_series(1, 2000) n;
REFRESH MATERIALIZED VIEW daily_sales;
-- client: SELECT count(*) FROM open_orders
-- client: INSERT INTO customers (email) VALUES ('new@example.org')
-- client: INSERT INTO customers (email) VALUES ('u1@example.org') ON CONFLICT (email) DO NOTHING
-- client: INSERT INTO orders (customer_id, amount, status) VALUES (1, 1, 'new')
-- client: UPDATE customers SET nickname = 'x', full_name = 'y' WHERE id = 7
-- client: INSERT INTO order_lines (order_id, line_no, product_id) VALUES (5, 7, 7)
-- client: INSERT INTO products (sku, title, price) VALUES ('new', 'new', 1)
-- client: INSERT INTO sessions (token, expires_at) VALUES ('00000000-0000-0000-0000-000000000001', now())
-- client: INSERT INTO payments (id, order_id, amount) VALUES (100000, 1, 1)

-- truth: safe: what is left out has a default, an identity or may be NULL
-- base: shop

INSERT INTO products (sku, title, price, weight) VALUES ('GIFT-1', 'Gift card', 10, NULL);
INSERT INTO customers (email, nickname) VALUES ('gift@example.org', NULL);
INSERT INTO orders (customer_id, note, status) VALUES (1, NULL, DEFAULT);
INSERT INTO payments VALUES (200001, 1, 5, NULL);
UPDATE products SET weight = NULL, tags = NULL WHERE sku = 'GIFT-1';

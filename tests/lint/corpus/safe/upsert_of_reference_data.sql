-- truth: safe: a few rows by their key
-- base: shop

INSERT INTO products (sku, title, price) VALUES ('GIFT-10', 'Gift 10', 10), ('GIFT-20', 'Gift 20', 20)
ON CONFLICT (sku) DO UPDATE SET title = EXCLUDED.title, price = EXCLUDED.price;
UPDATE products SET price = price * 1.1 WHERE sku IN ('SKU1', 'SKU2');
UPDATE orders o SET note = v.note FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, note) WHERE o.id = v.id;
DELETE FROM products WHERE sku = 'GIFT-10';

-- truth: safe: one row by its key
-- base: shop
-- sending: transaction

UPDATE products SET title = 'Gift card (digital)' WHERE sku = 'SKU17';
DELETE FROM sessions WHERE token = '00000000-0000-0000-0000-000000000000';
INSERT INTO products (sku, title, price) VALUES ('SKU-NEW', 'New', 1) ON CONFLICT (sku) DO UPDATE SET title = EXCLUDED.title;

-- truth: risky: duplicates get in
-- base: shop
-- proves: admits INSERT INTO products (sku, title, price) VALUES ('SKU1', 'again', 1)

ALTER TABLE products DROP CONSTRAINT products_sku_key;

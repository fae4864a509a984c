-- truth: risky: INSERTs that leave the key out fail
-- base: shop
-- proves: breaks INSERT INTO products (sku, title, price) VALUES ('new', 'new', 1)

ALTER TABLE products ALTER COLUMN id DROP IDENTITY;

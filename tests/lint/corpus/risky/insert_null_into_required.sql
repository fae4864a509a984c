-- truth: risky: the column is NOT NULL
-- base: shop
-- proves: fails 23502

INSERT INTO products (sku, title, price) VALUES ('GIFT-1', 'Gift card', 10), ('GIFT-2', NULL, 20);

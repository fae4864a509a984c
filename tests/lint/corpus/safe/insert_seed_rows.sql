-- truth: safe: a few rows into a table that exists
-- base: shop

INSERT INTO products (sku, title, price) VALUES ('GIFT', 'Gift card', 10), ('WRAP', 'Wrapping', 2)
ON CONFLICT (sku) DO NOTHING;

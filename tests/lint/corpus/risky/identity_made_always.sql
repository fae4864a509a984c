-- truth: risky: whoever gives the number himself is refused from now on
-- base: shop
-- proves: breaks INSERT INTO products (id, sku, title, price) VALUES (99999, 'x', 'x', 1)

ALTER TABLE products ALTER COLUMN id SET GENERATED ALWAYS;

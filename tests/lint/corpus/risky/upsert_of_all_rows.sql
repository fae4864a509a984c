-- truth: risky: the upsert meets every row of the table
-- base: shop
-- proves: changes public.products

INSERT INTO products (id, sku, title, price)
SELECT id, sku, title, round(price * 1.07, 2)
FROM products
ON CONFLICT (id) DO UPDATE SET price = EXCLUDED.price;

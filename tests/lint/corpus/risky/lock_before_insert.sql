-- truth: risky: LOCK without a mode is the strongest
-- base: shop
-- at: LOCK TABLE
-- proves: lock public.products ACCESS EXCLUSIVE

BEGIN;
LOCK TABLE products;
INSERT INTO products (sku, title, price)
SELECT 'GIFT', 'Gift card', 0 WHERE NOT EXISTS (SELECT FROM products WHERE sku = 'GIFT');
COMMIT;

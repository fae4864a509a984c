-- truth: risky: running code leaves these columns out
-- base: shop
-- proves: breaks INSERT INTO orders (customer_id, amount) VALUES (1, 1)

ALTER TABLE orders ALTER COLUMN status DROP DEFAULT, ALTER COLUMN placed_at DROP DEFAULT;

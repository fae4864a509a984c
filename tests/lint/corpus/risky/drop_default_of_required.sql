-- truth: risky: INSERTs that leave it out fail
-- base: shop
-- proves: breaks INSERT INTO customers (email) VALUES ('new@example.org')

ALTER TABLE customers ALTER COLUMN created_at DROP DEFAULT;

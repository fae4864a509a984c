ALTER TABLE orders ADD COLUMN total integer;
UPDATE orders SET total = amount WHERE id BETWEEN 1 AND 500;

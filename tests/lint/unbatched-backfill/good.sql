ALTER TABLE customers ADD COLUMN tier integer;
UPDATE customers SET tier = 1 WHERE tier IS NULL AND id BETWEEN 1 AND 500;

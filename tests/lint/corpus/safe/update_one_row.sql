-- truth: safe: one row by its key
-- base: shop

UPDATE products SET title = 'Fixed' WHERE id = 42;
DELETE FROM sessions WHERE token = '00000000-0000-0000-0000-000000000000';

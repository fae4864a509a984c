ALTER TYPE mood ADD VALUE 'great';
UPDATE customers SET state = 'great' WHERE id = 1;

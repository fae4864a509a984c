-- proves: stops UPDATE customers SET code = code WHERE id = 1999
UPDATE customers SET tier = 1 WHERE tier IS NULL;

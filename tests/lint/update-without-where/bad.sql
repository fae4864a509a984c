-- proves: stops UPDATE customers SET code = code WHERE id = 1999
UPDATE customers SET code = 7;

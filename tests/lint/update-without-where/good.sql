UPDATE customers SET code = 7 WHERE id BETWEEN 1 AND 500;

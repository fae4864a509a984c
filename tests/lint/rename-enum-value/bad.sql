-- proves: breaks SELECT count(*) FROM customers WHERE state = 'ok'
ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';

-- proves: fails 42601
UPDATE orders SET amount = 1, amount = 2 WHERE id = 1;

UPDATE orders SET amount = 2 WHERE id = 1;

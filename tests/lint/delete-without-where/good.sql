DELETE FROM items WHERE order_id = 5000;

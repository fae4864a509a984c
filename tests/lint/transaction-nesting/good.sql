-- sending: transaction
SAVEPOINT before_items;
DELETE FROM items WHERE order_id = 1;
ROLLBACK TO before_items;

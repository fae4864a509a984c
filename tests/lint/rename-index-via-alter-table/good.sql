ALTER INDEX orders_status RENAME TO orders_by_status;

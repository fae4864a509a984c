-- proves: blocks reads orders
ALTER TABLE orders_status RENAME TO orders_by_status;

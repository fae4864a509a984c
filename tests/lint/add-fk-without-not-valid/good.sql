ALTER TABLE items ADD CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
ALTER TABLE items VALIDATE CONSTRAINT items_order;

-- No row can hold a value yet: the server reads nothing.
ALTER TABLE items ADD COLUMN customer_id bigint REFERENCES customers;

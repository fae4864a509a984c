CREATE INDEX CONCURRENTLY items_order_id ON items (order_id);
ALTER TABLE items ADD CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders NOT VALID;

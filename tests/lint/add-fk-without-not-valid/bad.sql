-- proves: scan items under SHARE ROW EXCLUSIVE
ALTER TABLE items ADD CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders;

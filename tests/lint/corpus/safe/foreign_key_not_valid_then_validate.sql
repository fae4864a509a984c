-- truth: safe: each step in its own transaction
-- base: shop

ALTER TABLE order_lines ADD CONSTRAINT order_lines_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_order_fk;

-- truth: safe: added in an earlier release, validated now
-- base: shop

-- history
ALTER TABLE order_lines ADD CONSTRAINT order_lines_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;
-- migration
SET statement_timeout = 0;
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_order_fk;

-- truth: risky: both tables are read while neither can be written
-- base: shop
-- proves: scan public.order_lines

ALTER TABLE order_lines ADD CONSTRAINT order_lines_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE;

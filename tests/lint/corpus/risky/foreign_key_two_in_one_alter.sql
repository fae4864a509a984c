-- truth: risky: two keys, both verified
-- base: shop
-- proves: scan public.order_lines

ALTER TABLE order_lines
  ADD CONSTRAINT order_lines_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
  ADD CONSTRAINT order_lines_product_fk FOREIGN KEY (product_id) REFERENCES products (id) NOT VALID;

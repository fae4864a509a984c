-- truth: risky: a CHECK cannot look into another table
-- base: shop
-- proves: fails 0A000

ALTER TABLE order_lines ADD CONSTRAINT order_lines_order_exists
  CHECK (EXISTS (SELECT 1 FROM orders o WHERE o.id = order_id)) NOT VALID;

-- truth: risky: without OR REPLACE the view is in the way
-- base: shop
-- proves: fails 42P07

CREATE VIEW open_orders AS
  SELECT id, customer_id, amount, note, placed_at FROM orders WHERE status = 'new';

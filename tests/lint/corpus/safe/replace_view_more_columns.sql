-- truth: safe: a column more at the end
-- base: shop

CREATE OR REPLACE VIEW open_orders AS
  SELECT id, customer_id, amount, note, placed_at FROM orders WHERE status = 'new';

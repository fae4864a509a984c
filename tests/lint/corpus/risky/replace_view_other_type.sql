-- truth: risky: a view's column cannot get another type
-- base: shop
-- proves: fails 42P16

CREATE OR REPLACE VIEW open_orders AS
  SELECT id, customer_id, amount::numeric(12,2) AS amount, note
  FROM orders
  WHERE status = 'new';

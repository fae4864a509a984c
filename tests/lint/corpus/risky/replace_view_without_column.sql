-- truth: risky: CREATE OR REPLACE VIEW cannot take a column away
-- base: shop
-- proves: fails 42P16

CREATE OR REPLACE VIEW open_orders AS
  SELECT id, customer_id, amount FROM orders WHERE status = 'new';

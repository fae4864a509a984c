-- truth: safe: the same columns and one more, comments, a grant
-- base: shop
-- sending: transaction

-- R__views.sql
CREATE OR REPLACE VIEW open_orders AS
  SELECT o.id, o.customer_id, o.amount, o.note, c.email
  FROM orders o JOIN customers c ON c.id = o.customer_id
  WHERE o.status IN ('new', 'paid');
COMMENT ON VIEW open_orders IS 'Orders that are not shipped';
GRANT SELECT ON open_orders TO corpus_app;

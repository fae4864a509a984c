-- truth: risky: the CTE picks every row
-- base: shop
-- proves: changes public.orders

WITH priced AS (
  SELECT o.id, coalesce(o.amount, 0) + 1 AS total FROM orders o
)
UPDATE orders SET amount = priced.total FROM priced WHERE priced.id = orders.id;

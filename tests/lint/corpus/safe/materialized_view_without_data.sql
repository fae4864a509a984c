-- truth: safe: nothing is read yet
-- base: shop

CREATE MATERIALIZED VIEW top_customers AS
  SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id WITH NO DATA;
CREATE UNIQUE INDEX top_customers_id ON top_customers (customer_id);
REFRESH MATERIALIZED VIEW top_customers;

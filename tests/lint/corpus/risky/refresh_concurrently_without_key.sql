-- truth: risky: the view made by the history has no unique index
-- base: shop
-- proves: fails 55000

-- history
CREATE MATERIALIZED VIEW sales_by_customer AS
  SELECT customer_id, count(*) AS orders FROM orders GROUP BY 1;
CREATE INDEX sales_by_customer_idx ON sales_by_customer (customer_id);
-- migration
REFRESH MATERIALIZED VIEW CONCURRENTLY sales_by_customer;

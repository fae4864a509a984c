-- truth: risky: the unique index that the hourly refresh needs is not made again
-- base: shop
-- at: DROP MATERIALIZED VIEW
-- proves: breaks REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales

BEGIN;
DROP MATERIALIZED VIEW daily_sales;
CREATE MATERIALIZED VIEW daily_sales AS
  SELECT placed_at::date AS day, count(*) AS orders, sum(amount) AS total
  FROM orders
  GROUP BY 1;
COMMIT;

-- truth: risky: the new view has not the old one's unique index
-- base: shop
-- at: DROP MATERIALIZED
-- proves: breaks REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales

DROP MATERIALIZED VIEW daily_sales;
CREATE MATERIALIZED VIEW daily_sales AS
  SELECT placed_at::date AS day, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY 1;

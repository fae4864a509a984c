-- truth: safe: readers of the view go on
-- base: shop

REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;

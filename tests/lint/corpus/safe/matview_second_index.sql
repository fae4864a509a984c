-- truth: safe: only a refresh waits for an index of a materialized view
-- base: shop

CREATE INDEX CONCURRENTLY IF NOT EXISTS daily_sales_total_idx ON daily_sales (total);
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;
ANALYZE daily_sales;

-- truth: risky: readers of the view wait for the whole query
-- base: shop
-- proves: rewrite public.daily_sales

REFRESH MATERIALIZED VIEW daily_sales;

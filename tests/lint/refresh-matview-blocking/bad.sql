-- proves: rewrite order_days
-- proves: blocks reads order_days
REFRESH MATERIALIZED VIEW order_days;

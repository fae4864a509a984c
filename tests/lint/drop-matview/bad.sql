-- proves: breaks SELECT * FROM order_days
DROP MATERIALIZED VIEW order_days;

CREATE MATERIALIZED VIEW order_days_next AS
  SELECT placed::date AS day, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY 1;
BEGIN;
ALTER MATERIALIZED VIEW order_days RENAME TO order_days_old;
ALTER MATERIALIZED VIEW order_days_next RENAME TO order_days;
DROP MATERIALIZED VIEW order_days_old;
COMMIT;

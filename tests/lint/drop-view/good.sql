BEGIN;
DROP VIEW order_totals;
CREATE VIEW order_totals AS
  SELECT customer_id, sum(amount) AS total, count(*) AS orders FROM orders GROUP BY customer_id;
COMMIT;

-- truth: safe: reads, and writes only what is new
-- base: shop

BEGIN;
CREATE TABLE totals AS SELECT customer_id, sum(amount) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX totals_customer ON totals (customer_id);
COMMIT;

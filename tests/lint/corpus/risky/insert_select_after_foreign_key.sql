-- truth: risky: the new table's foreign key holds SHARE ROW EXCLUSIVE on customers while orders is copied
-- base: shop
-- at: INSERT INTO
-- proves: scan public.orders

BEGIN;
CREATE TABLE customer_totals (customer_id bigint PRIMARY KEY REFERENCES customers (id), total bigint);
INSERT INTO customer_totals SELECT customer_id, sum(amount) FROM orders GROUP BY customer_id;
COMMIT;

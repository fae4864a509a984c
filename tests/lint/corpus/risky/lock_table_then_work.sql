-- truth: risky: LOCK TABLE keeps everybody out while the totals are computed
-- base: shop
-- at: LOCK TABLE
-- proves: lock public.orders ACCESS EXCLUSIVE

BEGIN;
LOCK TABLE orders;
CREATE TABLE orders_by_day AS SELECT placed_at::date AS day, count(*) FROM orders GROUP BY 1;
COMMIT;

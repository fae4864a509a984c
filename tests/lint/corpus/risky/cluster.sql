-- truth: risky: CLUSTER copies the table in the order of an index
-- base: shop
-- proves: rewrite public.orders

CLUSTER orders USING orders_customer_id_idx;

-- truth: risky: newer syntax, the same index build
-- base: shop
-- server: 15
-- proves: scan public.orders

ALTER TABLE orders ADD CONSTRAINT orders_reference_key UNIQUE NULLS NOT DISTINCT (reference, customer_id);

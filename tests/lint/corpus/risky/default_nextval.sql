-- truth: risky: nextval() is volatile
-- base: shop
-- at: ADD COLUMN queue_no
-- proves: rewrite public.orders

CREATE SEQUENCE orders_queue_no_seq;
ALTER TABLE orders ADD COLUMN queue_no bigint DEFAULT nextval('orders_queue_no_seq');

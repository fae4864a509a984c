-- truth: risky: the column is added and filled, then the key is checked, all in one transaction
-- base: shop
-- at: ADD CONSTRAINT
-- proves: scan public.sessions

BEGIN;
ALTER TABLE sessions ADD COLUMN order_id bigint;
ALTER TABLE sessions ADD CONSTRAINT sessions_order_fk FOREIGN KEY (order_id) REFERENCES orders (id);
COMMIT;

-- truth: risky: the lock of the ADD is kept while VALIDATE reads
-- base: shop
-- at: VALIDATE
-- proves: scan public.order_lines

BEGIN;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_order_fk;
COMMIT;

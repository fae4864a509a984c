-- truth: risky: foreign keys are off while rows are deleted
-- base: shop
-- at: DELETE FROM
-- proves: changes public.orders

SET session_replication_role = replica;
DELETE FROM orders WHERE customer_id IS NOT NULL;
SET session_replication_role = DEFAULT;

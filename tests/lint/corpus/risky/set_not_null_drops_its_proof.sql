-- truth: risky: the proof is dropped in the same command
-- base: shop
-- proves: scan public.orders

-- history
ALTER TABLE orders ADD CONSTRAINT orders_amount_nn CHECK (amount IS NOT NULL);

-- migration
ALTER TABLE orders ALTER COLUMN amount SET NOT NULL, DROP CONSTRAINT orders_amount_nn;

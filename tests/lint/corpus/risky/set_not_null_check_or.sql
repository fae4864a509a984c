-- truth: risky: an OR proves nothing
-- base: shop
-- proves: scan public.orders

-- history
ALTER TABLE orders ADD CONSTRAINT orders_something CHECK (amount IS NOT NULL OR note IS NOT NULL);

-- migration
ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;

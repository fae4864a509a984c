-- truth: risky: a CHECK that is NOT VALID proves nothing
-- base: shop
-- at: SET NOT NULL
-- proves: scan public.orders

ALTER TABLE orders ADD CONSTRAINT orders_amount_nn CHECK (amount IS NOT NULL) NOT VALID;
ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;

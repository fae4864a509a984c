-- truth: risky: CHECK (amount > 0) lets NULL pass, so it proves nothing
-- base: shop
-- proves: scan public.orders

-- history
ALTER TABLE orders ADD CONSTRAINT orders_amount_pos CHECK (amount > 0);

-- migration
ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;

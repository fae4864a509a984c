-- truth: risky: the valid CHECK is about another column
-- base: shop
-- proves: scan public.orders

-- history
ALTER TABLE orders ADD CONSTRAINT orders_note_nn CHECK (note IS NOT NULL);

-- migration
ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;

-- truth: risky: the constraint is older, but the column added above holds ACCESS EXCLUSIVE meanwhile
-- base: shop
-- at: VALIDATE
-- proves: scan public.orders

-- history
ALTER TABLE orders ADD CONSTRAINT orders_note_short CHECK (length(note) < 1000) NOT VALID;

-- migration
BEGIN;
ALTER TABLE orders ADD COLUMN archived boolean;
ALTER TABLE orders VALIDATE CONSTRAINT orders_note_short;
COMMIT;

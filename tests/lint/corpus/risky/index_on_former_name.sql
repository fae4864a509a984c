-- truth: risky: the column has another name now
-- base: shop
-- proves: fails 42703

-- history
ALTER TABLE orders RENAME COLUMN reference TO external_reference;
-- migration
CREATE INDEX CONCURRENTLY orders_reference_note_idx ON orders (reference, note);

-- truth: risky: a partial index cannot carry a constraint
-- base: shop
-- at: USING INDEX
-- proves: fails 42809

CREATE UNIQUE INDEX CONCURRENTLY orders_reference_new ON orders (reference) WHERE status = 'new';
ALTER TABLE orders ADD CONSTRAINT orders_reference_new UNIQUE USING INDEX orders_reference_new;

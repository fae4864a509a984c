-- truth: risky: the name is taken already
-- base: shop
-- proves: fails 42P07

CREATE INDEX CONCURRENTLY orders_reference_idx ON orders (reference, status);

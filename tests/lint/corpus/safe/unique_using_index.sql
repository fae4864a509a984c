-- truth: safe: the index was built concurrently
-- base: shop

CREATE UNIQUE INDEX CONCURRENTLY orders_reference_uq ON orders (reference);
ALTER TABLE orders ADD CONSTRAINT orders_reference_uq UNIQUE USING INDEX orders_reference_uq;

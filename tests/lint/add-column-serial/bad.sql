-- proves: rewrite orders
ALTER TABLE orders ADD COLUMN number bigserial;

-- truth: safe: validated by a later migration
-- base: shop

-- history
ALTER TABLE orders ADD CONSTRAINT orders_customer_positive CHECK (customer_id > 0) NOT VALID;

-- migration
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_positive;
ALTER TABLE orders DROP CONSTRAINT orders_customer_positive;

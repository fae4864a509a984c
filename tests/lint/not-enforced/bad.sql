-- server: 18
-- proves: nothing
ALTER TABLE orders ADD CONSTRAINT amount_positive CHECK (amount > 0) NOT ENFORCED;

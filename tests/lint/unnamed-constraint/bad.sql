-- proves: nothing
ALTER TABLE orders ADD CHECK (amount > 0) NOT VALID;

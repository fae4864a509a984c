ALTER TABLE orders ADD CONSTRAINT amount_there CHECK (amount > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT amount_there;

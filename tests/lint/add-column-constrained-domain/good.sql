ALTER TABLE orders ADD COLUMN place integer;
ALTER TABLE orders ADD CONSTRAINT place_positive CHECK (place > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT place_positive;

-- A domain without constraints is a name for its type.
ALTER TABLE orders ADD COLUMN lane plain_number;

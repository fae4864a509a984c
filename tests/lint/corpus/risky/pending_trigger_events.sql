-- truth: risky: the deferred constraint has pending events: the ALTER fails
-- base: shop
-- at: ALTER TABLE
-- proves: fails 55006

BEGIN;
UPDATE payments SET order_id = order_id + 0 WHERE id < 10;
INSERT INTO payments (id, order_id, amount) VALUES (900000, 1, 5);
ALTER TABLE payments ADD COLUMN checked boolean;
COMMIT;

-- truth: risky: foreign keys are no longer checked
-- base: shop
-- proves: admits INSERT INTO payments (id, order_id, amount) VALUES (900000, -1, 1); SET CONSTRAINTS ALL IMMEDIATE

ALTER TABLE payments DISABLE TRIGGER ALL;

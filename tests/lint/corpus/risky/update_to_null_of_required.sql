-- truth: risky: the column is NOT NULL
-- base: shop
-- proves: fails 23502

UPDATE orders SET status = NULL WHERE id IN (17, 18);

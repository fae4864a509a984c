-- truth: risky: the third column is NOT NULL
-- base: shop
-- proves: fails 23502

INSERT INTO payments VALUES (200001, 1, NULL, 'manual');

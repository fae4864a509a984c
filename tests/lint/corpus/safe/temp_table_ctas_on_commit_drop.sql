-- truth: safe: made by a query, dropped by itself
-- base: shop

BEGIN;
CREATE TEMPORARY TABLE picked ON COMMIT DROP AS SELECT id FROM customers WHERE id <= 50;
ALTER TABLE picked ADD PRIMARY KEY (id);
UPDATE customers SET level = 3 WHERE id IN (SELECT id FROM picked) AND id <= 50;
COMMIT;

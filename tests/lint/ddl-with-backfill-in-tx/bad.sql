-- proves: scan orders under ACCESS EXCLUSIVE
BEGIN;
ALTER TABLE orders ADD COLUMN total integer;
UPDATE orders SET total = amount WHERE total IS NULL;
COMMIT;

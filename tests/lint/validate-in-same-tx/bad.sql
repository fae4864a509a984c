-- proves: scan orders under ACCESS EXCLUSIVE
BEGIN;
ALTER TABLE orders ADD CONSTRAINT amount_there CHECK (amount > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT amount_there;
COMMIT;

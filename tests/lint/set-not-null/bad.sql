-- proves: scan orders under ACCESS EXCLUSIVE
-- proves: blocks reads orders
ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;

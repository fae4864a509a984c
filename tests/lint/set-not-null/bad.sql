-- proves: scan orders under ACCESS EXCLUSIVE
ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;

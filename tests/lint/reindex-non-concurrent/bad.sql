-- proves: scan orders under SHARE
-- proves: blocks reads orders
-- proves: blocks writes orders
REINDEX TABLE orders;

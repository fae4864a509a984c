-- proves: scan orders under SHARE
-- proves: blocks writes orders
CREATE INDEX orders_amount ON orders (amount);

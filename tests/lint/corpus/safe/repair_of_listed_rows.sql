-- truth: safe: the rows that are wrong are few, and written down first
-- base: shop
-- sending: transaction

CREATE TEMPORARY TABLE wrong ON COMMIT DROP AS
  SELECT id FROM orders WHERE amount < 0;
UPDATE orders o SET amount = -o.amount FROM wrong w WHERE w.id = o.id;

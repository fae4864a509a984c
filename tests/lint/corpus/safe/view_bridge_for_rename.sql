-- truth: safe: the old name stays a view with the same columns, in one transaction
-- base: shop

BEGIN;
ALTER TABLE order_lines RENAME TO order_items;
CREATE VIEW order_lines AS SELECT order_id, line_no, product_id, quantity, discount, memo FROM order_items;
COMMIT;

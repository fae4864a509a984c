-- truth: risky: copied, dropped, renamed: keys, indexes and defaults are gone
-- base: shop
-- at: DROP TABLE order_lines
-- proves: gone public.order_lines.memo

CREATE TABLE order_lines_copy AS SELECT order_id, line_no, product_id, quantity, discount FROM order_lines;
DROP TABLE order_lines;
ALTER TABLE order_lines_copy RENAME TO order_lines;

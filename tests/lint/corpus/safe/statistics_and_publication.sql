-- truth: safe: extended statistics, a publication of one table
-- base: shop

CREATE STATISTICS orders_stat (dependencies) ON customer_id, status FROM orders;
CREATE STATISTICS IF NOT EXISTS orders_expr ON (lower(note)), customer_id FROM orders;
ALTER STATISTICS orders_stat SET STATISTICS 200;

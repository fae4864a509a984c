-- truth: safe: SHARE UPDATE EXCLUSIVE keeps nobody from working
-- base: shop

COMMENT ON TABLE orders IS 'Orders; see the wiki';
COMMENT ON COLUMN orders.amount IS 'in cents';
ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500;
ALTER TABLE orders SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01);
CREATE STATISTICS orders_stats ON customer_id, status FROM orders;
ANALYZE orders;

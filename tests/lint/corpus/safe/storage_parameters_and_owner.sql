-- truth: safe: catalog alone
-- base: shop

ALTER TABLE orders SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE orders ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE orders ALTER COLUMN customer_id SET STATISTICS 500;
ALTER TABLE orders ALTER COLUMN note SET DEFAULT '';
ALTER SEQUENCE orders_id_seq CACHE 20;
ALTER TABLE order_lines REPLICA IDENTITY FULL;
ALTER INDEX orders_reference_idx SET (fillfactor = 80);
ANALYZE orders;

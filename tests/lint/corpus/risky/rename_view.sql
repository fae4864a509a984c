-- truth: risky: the application still reads the view by its old name
-- base: shop
-- at: RENAME TO
-- proves: breaks SELECT count(*) FROM open_orders

ALTER VIEW IF EXISTS open_orders RENAME TO pending_orders;
COMMENT ON VIEW pending_orders IS 'orders that wait for payment';

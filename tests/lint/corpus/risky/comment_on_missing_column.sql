-- truth: risky: the table has no such column
-- base: shop
-- proves: fails 42703

COMMENT ON COLUMN orders.total IS 'In cents.';

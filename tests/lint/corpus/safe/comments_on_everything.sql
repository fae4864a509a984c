-- truth: safe: of what is there
-- base: shop

COMMENT ON TABLE orders IS 'What customers bought';
COMMENT ON COLUMN public.orders.amount IS NULL;
COMMENT ON INDEX orders_status_idx IS 'open ones';
COMMENT ON CONSTRAINT orders_amount_sane ON orders IS 'sane';
COMMENT ON TYPE order_status IS 'state';
COMMENT ON TRIGGER customers_touch ON customers IS 'keeps updated_at';
COMMENT ON DATABASE postgres IS 'x';

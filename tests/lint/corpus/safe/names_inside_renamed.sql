-- truth: safe: names that no query uses
-- base: shop
-- sending: transaction

SET LOCAL lock_timeout = '1s';
ALTER TABLE orders RENAME CONSTRAINT orders_amount_sane TO orders_amount_check;
ALTER TRIGGER customers_touch ON customers RENAME TO customers_set_updated_at;
ALTER INDEX orders_reference_idx RENAME TO orders_by_reference_idx;
ALTER INDEX IF EXISTS orders_gone_idx RENAME TO orders_gone_too_idx;

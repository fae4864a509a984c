-- truth: risky: the type has the value
-- base: shop
-- proves: fails 42710

ALTER TYPE order_status ADD VALUE 'paid';

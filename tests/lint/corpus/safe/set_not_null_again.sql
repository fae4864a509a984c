-- truth: safe: it is NOT NULL already
-- base: shop

ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;

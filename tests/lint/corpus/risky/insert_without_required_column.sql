-- truth: risky: a required column without a default is given no value
-- base: shop
-- proves: fails 23502

INSERT INTO products (sku, title) VALUES ('GIFT-1', 'Gift card') ON CONFLICT (sku) DO NOTHING;

-- truth: risky: two statements without a semicolon between them
-- base: shop
-- at: ADD COLUMN vat_id
-- proves: fails 42601

ALTER TABLE customers ADD COLUMN vat_id text
ALTER TABLE orders ALTER COLUMN reference SET NOT NULL;

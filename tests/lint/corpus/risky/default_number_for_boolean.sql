-- truth: risky: an integer does not become a boolean by itself
-- base: shop
-- proves: fails 42804

ALTER TABLE customers ADD COLUMN newsletter boolean NOT NULL DEFAULT 0;

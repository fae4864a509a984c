-- truth: risky: an inline UNIQUE builds an index under ACCESS EXCLUSIVE
-- base: shop
-- proves: scan public.customers

ALTER TABLE customers ADD COLUMN external_id text UNIQUE;

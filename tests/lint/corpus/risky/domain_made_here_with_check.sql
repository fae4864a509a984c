-- truth: risky: the domain of the same file has a CHECK
-- base: shop
-- at: ADD COLUMN vat_id
-- proves: rewrite public.customers

CREATE DOMAIN vat_number AS text CONSTRAINT vat_number_shape CHECK (VALUE ~ '^[A-Z]{2}');
ALTER TABLE customers ADD COLUMN vat_id vat_number;

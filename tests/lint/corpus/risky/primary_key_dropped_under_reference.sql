-- truth: risky: foreign keys need it
-- base: shop
-- proves: fails 2BP01

ALTER TABLE customers DROP CONSTRAINT customers_pkey;

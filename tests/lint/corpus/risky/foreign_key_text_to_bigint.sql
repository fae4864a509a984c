-- truth: risky: the two types cannot be compared
-- base: shop
-- proves: fails 42804

ALTER TABLE payments ADD CONSTRAINT payments_provider_fk
  FOREIGN KEY (provider_ref) REFERENCES customers (id) NOT VALID;

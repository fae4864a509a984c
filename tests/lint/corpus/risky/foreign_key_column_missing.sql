-- truth: risky: the referencing column is not there
-- base: shop
-- proves: fails 42703

ALTER TABLE sessions ADD CONSTRAINT sessions_device_fk
  FOREIGN KEY (device_id) REFERENCES customers (id) NOT VALID;

-- proves: scan customers under ACCESS EXCLUSIVE
ALTER TABLE customers ADD CONSTRAINT customers_email UNIQUE (email);

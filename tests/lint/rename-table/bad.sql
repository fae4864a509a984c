-- proves: breaks SELECT id FROM customers
ALTER TABLE customers RENAME TO clients;

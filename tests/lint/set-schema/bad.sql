-- proves: breaks SELECT id FROM customers
ALTER TABLE customers SET SCHEMA shop;

-- proves: breaks SELECT note FROM customers
ALTER TABLE customers RENAME COLUMN note TO remark;

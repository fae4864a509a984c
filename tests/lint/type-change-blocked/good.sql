BEGIN;
DROP VIEW customer_names;
ALTER TABLE customers ALTER COLUMN name TYPE varchar;
CREATE VIEW customer_names AS SELECT id, name FROM customers;
COMMIT;

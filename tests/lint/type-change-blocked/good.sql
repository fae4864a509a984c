BEGIN;
DROP VIEW customer_mails;
ALTER TABLE customers ALTER COLUMN email TYPE text;
CREATE VIEW customer_mails AS SELECT id, email FROM customers;
COMMIT;

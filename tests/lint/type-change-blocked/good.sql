BEGIN;
DROP VIEW customer_tiers;
ALTER TABLE customers ALTER COLUMN tier TYPE plain_number;
CREATE VIEW customer_tiers AS SELECT id, tier FROM customers;
COMMIT;

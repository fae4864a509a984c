BEGIN;
ALTER TABLE customers SET SCHEMA shop;
CREATE VIEW public.customers AS SELECT * FROM shop.customers;
COMMIT;

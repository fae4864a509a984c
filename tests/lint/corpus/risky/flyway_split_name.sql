-- truth: risky: one UPDATE derives two columns for every customer
-- base: shop
-- sending: transaction
-- at: UPDATE customers
-- proves: changes public.customers

-- V12__split_name.sql
ALTER TABLE customers ADD COLUMN first_name text, ADD COLUMN last_name text;

UPDATE customers c
SET first_name = split_part(c.full_name, ' ', 1),
    last_name  = nullif(split_part(c.full_name, ' ', 2), '');

COMMENT ON COLUMN customers.full_name IS 'deprecated, see first_name and last_name';

-- truth: safe: types of a table that is new
-- base: shop

CREATE TYPE address AS (street text, city text, zip varchar(10));
CREATE DOMAIN email_address AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE TABLE addresses (id bigint PRIMARY KEY, customer_id bigint NOT NULL, home address, mail email_address NOT NULL);
ALTER TABLE addresses ADD COLUMN work address;

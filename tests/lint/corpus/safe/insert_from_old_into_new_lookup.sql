-- truth: safe: the new table takes distinct values; nothing is locked but itself
-- base: shop

CREATE TABLE countries (code char(2) PRIMARY KEY);
INSERT INTO countries SELECT DISTINCT country FROM customers;
ALTER TABLE customers ADD CONSTRAINT customers_country_fk FOREIGN KEY (country) REFERENCES countries NOT VALID;

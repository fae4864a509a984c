SET lock_timeout = '2s';
ALTER TABLE customers ADD CONSTRAINT code_positive CHECK (code > 0) NOT VALID;
SET statement_timeout = 0;
ALTER TABLE customers VALIDATE CONSTRAINT code_positive;

-- truth: risky: char(n) is padded anew in every row
-- base: shop
-- sending: transaction
-- at: char(3)
-- proves: rewrite public.customers

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '1min';
ALTER TABLE customers ALTER COLUMN country DROP DEFAULT;
ALTER TABLE customers ALTER COLUMN country TYPE char(3);

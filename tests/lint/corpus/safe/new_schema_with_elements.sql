-- truth: safe: everything in it is new
-- base: shop

CREATE SCHEMA IF NOT EXISTS reporting;
SET search_path = reporting, public;
CREATE TABLE facts (id bigint PRIMARY KEY, amount integer);
CREATE INDEX facts_amount_idx ON facts (amount);
ALTER TABLE facts ADD COLUMN made_at timestamptz DEFAULT clock_timestamp();
UPDATE facts SET amount = 0;
RESET search_path;

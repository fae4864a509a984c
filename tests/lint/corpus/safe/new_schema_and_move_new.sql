-- truth: safe: made in one schema and moved before anybody saw it
-- base: shop

CREATE SCHEMA IF NOT EXISTS billing;
CREATE TABLE ledger (id bigint PRIMARY KEY, booked_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE ledger SET SCHEMA billing;
ALTER TABLE billing.ledger RENAME COLUMN booked_at TO posted_at;
CREATE VIEW billing.recent AS SELECT * FROM billing.ledger WHERE posted_at > now() - interval '1 day';

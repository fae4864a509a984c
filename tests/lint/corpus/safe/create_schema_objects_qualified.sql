-- truth: safe: a whole new schema
-- base: shop

CREATE SCHEMA billing AUTHORIZATION CURRENT_USER
  CREATE TABLE accounts (id bigint PRIMARY KEY, holder text);
CREATE INDEX accounts_holder_idx ON billing.accounts (holder);
ALTER TABLE billing.accounts ADD CONSTRAINT accounts_holder_check CHECK (holder <> '');

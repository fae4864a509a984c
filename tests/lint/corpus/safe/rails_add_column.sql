-- truth: safe: add_column with a default
-- base: rails
-- sending: transaction

ALTER TABLE "users" ADD "locale" character varying DEFAULT 'en' NOT NULL;

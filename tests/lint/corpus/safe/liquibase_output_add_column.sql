-- truth: safe: what liquibase update-sql prints
-- base: jpa
-- sending: transaction

-- Changeset db/changelog.xml::13::dev
ALTER TABLE public.booking ADD cancelled_at TIMESTAMP WITHOUT TIME ZONE;

ALTER TABLE public.booking ADD notes TEXT;

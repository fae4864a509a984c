-- truth: risky: nullable column, filled, made required: all in one transaction
-- base: jpa
-- sending: transaction
-- at: SET  NOT NULL
-- proves: scan public.booking

-- Changeset db/changelog.xml::12::dev
ALTER TABLE public.booking ADD channel VARCHAR(10) DEFAULT 'web';

ALTER TABLE public.booking ALTER COLUMN  channel SET  NOT NULL;

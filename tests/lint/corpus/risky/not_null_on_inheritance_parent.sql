-- truth: risky: rows of the parent and of its children have no value
-- base: warehouse
-- proves: fails 23502

ALTER TABLE app.people ADD COLUMN country text NOT NULL;

-- truth: risky: a generated column uses it: fails
-- base: warehouse
-- server: 15
-- proves: fails 0A000

ALTER TABLE app.documents ALTER COLUMN body TYPE varchar;

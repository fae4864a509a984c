-- truth: risky: the table has no such column
-- base: warehouse
-- proves: fails 42703

CREATE VIEW app.live_documents AS SELECT id, title, author FROM app.documents WHERE deleted_at IS NULL;

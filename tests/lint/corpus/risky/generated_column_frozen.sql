-- truth: risky: new rows no longer get their search vector
-- base: warehouse
-- proves: answers INSERT INTO app.documents (tenant_id, title, body) SELECT id, 't', 'words' FROM app.tenants LIMIT 1 RETURNING search IS NULL

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE app.documents ALTER COLUMN search DROP EXPRESSION;
COMMIT;

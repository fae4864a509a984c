-- truth: risky: sessions that do not set the tenant are refused
-- base: warehouse
-- at: ENABLE ROW LEVEL SECURITY
-- proves: answers SET ROLE corpus_app; SELECT count(*) FROM app.documents

-- rows
GRANT USAGE ON SCHEMA app TO corpus_app;
GRANT SELECT ON app.documents TO corpus_app;
-- migration
BEGIN;
CREATE POLICY tenant_isolation ON app.documents
  USING (tenant_id = current_setting('app.tenant_id')::uuid);
ALTER TABLE app.documents ENABLE ROW LEVEL SECURITY;
COMMIT;

-- truth: safe: nobody has read the table yet
-- base: warehouse

CREATE TABLE app.api_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES app.tenants (id) ON DELETE CASCADE,
  digest bytea NOT NULL
);
CREATE INDEX api_keys_tenant_id_idx ON app.api_keys (tenant_id);
ALTER TABLE app.api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY api_keys_tenant ON app.api_keys
  USING (tenant_id = current_setting('app.tenant_id', true)::uuid);
GRANT SELECT, INSERT ON app.api_keys TO corpus_app;

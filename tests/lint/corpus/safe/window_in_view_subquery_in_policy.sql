-- truth: safe: where they may stand
-- base: warehouse

CREATE VIEW app.ranked AS SELECT id, tenant_id, row_number() OVER (PARTITION BY tenant_id ORDER BY id) AS place FROM app.documents;
CREATE TABLE app.members (tenant_id uuid NOT NULL, role_name name NOT NULL, PRIMARY KEY (tenant_id, role_name));
ALTER TABLE app.members ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_own ON app.members USING (EXISTS (SELECT 1 FROM app.tenants t WHERE t.id = tenant_id AND t.plan <> 'closed'));

-- truth: risky: a GIN index takes longest to build
-- base: warehouse
-- proves: scan app.tenants

CREATE INDEX tenants_settings_idx ON app.tenants USING gin (settings jsonb_path_ops);

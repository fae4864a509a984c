-- truth: safe: GIN builds concurrently as well
-- base: warehouse

CREATE INDEX CONCURRENTLY tenants_settings_idx ON app.tenants USING gin (settings);
CREATE INDEX CONCURRENTLY documents_title_trgm ON app.documents USING gin (title gin_trgm_ops) WITH (fastupdate = off);

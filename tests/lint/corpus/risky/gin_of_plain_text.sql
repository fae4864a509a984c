-- truth: risky: GIN has no operator class for text
-- base: warehouse
-- proves: fails 42704

CREATE INDEX CONCURRENTLY IF NOT EXISTS documents_title_trgm_idx ON app.documents USING gin (title);

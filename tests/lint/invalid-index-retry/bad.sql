-- proves: leaves SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'archive_body'::regclass
CREATE INDEX CONCURRENTLY IF NOT EXISTS archive_body ON archive (body);

-- proves: fails 42809
CREATE UNIQUE INDEX CONCURRENTLY archive_key ON archive (id DESC);
ALTER TABLE archive ADD CONSTRAINT archive_key UNIQUE USING INDEX archive_key;

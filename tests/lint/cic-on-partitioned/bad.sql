-- proves: fails 0A000
CREATE INDEX CONCURRENTLY events_body ON events (body);

-- proves: fails 0A000
CREATE UNIQUE INDEX events_key ON events (id, at);
ALTER TABLE events ADD CONSTRAINT events_key PRIMARY KEY USING INDEX events_key;

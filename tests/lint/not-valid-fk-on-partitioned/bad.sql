-- before: 18
-- proves: fails 42809
ALTER TABLE events ADD CONSTRAINT events_archive FOREIGN KEY (id) REFERENCES archive NOT VALID;

-- proves: lock events_2024 ACCESS EXCLUSIVE
ALTER TABLE events ADD COLUMN kind text;

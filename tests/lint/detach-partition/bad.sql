-- proves: lock events ACCESS EXCLUSIVE
-- proves: blocks reads events
ALTER TABLE events DETACH PARTITION events_2024;

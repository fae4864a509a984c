-- proves: scan bookings under ACCESS EXCLUSIVE
ALTER TABLE bookings ADD CONSTRAINT one_guest EXCLUDE USING gist (during WITH &&) WHERE (room > 1000);

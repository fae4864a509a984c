-- proves: rewrite bookings
ALTER TABLE bookings SET UNLOGGED;

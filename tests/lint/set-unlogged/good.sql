CREATE UNLOGGED TABLE bookings_unlogged (LIKE bookings INCLUDING ALL);

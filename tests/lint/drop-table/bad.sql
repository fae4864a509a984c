-- proves: loses SELECT count(*) FROM bookings
DROP TABLE bookings;

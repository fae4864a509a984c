CREATE TABLE bookings_new (
  LIKE bookings,
  CONSTRAINT one_guest EXCLUDE USING gist (during WITH &&) WHERE (room > 1000)
);

INSERT INTO account SELECT n, now(), 'e' || n, 'ACTIVE', 0 FROM generate_series(1, 2000) n;
INSERT INTO booking SELECT n, 1, 'r' || n, n, now() FROM generate_series(1, 2000) n;
INSERT INTO booking_tag SELECT n, 't' FROM generate_series(1, 2000) n;
-- client: INSERT INTO account (id, email, status, version) VALUES (100000, 'n', 'ACTIVE', 0)
-- client: INSERT INTO booking (id, reference) VALUES (100000, 'n')

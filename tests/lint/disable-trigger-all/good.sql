INSERT INTO shelves (id, rack_id) VALUES (-1, 1);

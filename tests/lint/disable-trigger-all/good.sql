INSERT INTO shelves (id, archive_id) VALUES (-1, 1);

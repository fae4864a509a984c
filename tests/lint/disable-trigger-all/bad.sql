-- proves: leaves SELECT EXISTS (SELECT FROM shelves WHERE archive_id = -1)
ALTER TABLE shelves DISABLE TRIGGER ALL;
INSERT INTO shelves (id, archive_id) VALUES (-1, -1);
ALTER TABLE shelves ENABLE TRIGGER ALL;

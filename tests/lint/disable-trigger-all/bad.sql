-- proves: leaves SELECT EXISTS (SELECT FROM shelves WHERE rack_id = -1)
ALTER TABLE shelves DISABLE TRIGGER ALL;
INSERT INTO shelves (id, rack_id) VALUES (-1, -1);
ALTER TABLE shelves ENABLE TRIGGER ALL;

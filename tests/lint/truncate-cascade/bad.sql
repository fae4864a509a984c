-- proves: loses SELECT count(*) FROM shelves
TRUNCATE racks CASCADE;

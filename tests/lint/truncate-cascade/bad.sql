-- proves: loses SELECT count(*) FROM shelves
TRUNCATE archive CASCADE;

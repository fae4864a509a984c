-- proves: fails 55006
BEGIN;
UPDATE shelves SET rack_id = 2 WHERE id = 1;
ALTER TABLE shelves ADD COLUMN height integer;
COMMIT;

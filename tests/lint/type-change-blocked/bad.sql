-- proves: fails 0A000
ALTER TABLE customers ALTER COLUMN name TYPE varchar;

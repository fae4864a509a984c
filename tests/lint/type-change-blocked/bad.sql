-- proves: fails 0A000
ALTER TABLE customers ALTER COLUMN email TYPE text;

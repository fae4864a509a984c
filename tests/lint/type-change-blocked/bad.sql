-- proves: fails 0A000
ALTER TABLE customers ALTER COLUMN tier TYPE plain_number;

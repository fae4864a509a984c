ALTER TABLE prices ADD COLUMN gross_new integer;

-- truth: safe: a longer varchar only changes the catalog
-- base: shop

ALTER TABLE customers ALTER COLUMN email TYPE varchar(254);

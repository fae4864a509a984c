-- truth: safe: varchar to text only changes the catalog; the plain index stays
-- base: shop

ALTER TABLE orders ALTER COLUMN reference TYPE text;

-- truth: safe: the USING says what happens anyway
-- base: shop

ALTER TABLE orders ALTER COLUMN reference TYPE varchar(60) USING reference::varchar(60);

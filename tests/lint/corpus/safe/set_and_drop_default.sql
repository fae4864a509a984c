-- truth: safe: the default goes on being used by nobody; catalog only
-- base: shop

ALTER TABLE orders ALTER COLUMN note SET DEFAULT '';
ALTER TABLE orders ALTER COLUMN note DROP DEFAULT;

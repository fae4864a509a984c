-- truth: safe: cidr to inet and longer bit strings are stored alike
-- base: shop

-- history
ALTER TABLE sessions ADD COLUMN net cidr;
ALTER TABLE sessions ADD COLUMN flags bit varying(8);

-- migration
ALTER TABLE sessions ALTER COLUMN net TYPE inet;
ALTER TABLE sessions ALTER COLUMN flags TYPE bit varying(64);

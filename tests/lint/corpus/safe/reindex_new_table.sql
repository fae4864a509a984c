-- truth: safe: made in the same file
-- base: shop

CREATE TABLE notes (id bigint PRIMARY KEY, body text);
REINDEX TABLE notes;

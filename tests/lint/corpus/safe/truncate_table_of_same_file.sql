-- truth: safe: what it empties was filled three lines above
-- base: shop

CREATE TABLE import_buffer (line text);
INSERT INTO import_buffer VALUES ('a'), ('b');
TRUNCATE import_buffer;
INSERT INTO import_buffer VALUES ('c');

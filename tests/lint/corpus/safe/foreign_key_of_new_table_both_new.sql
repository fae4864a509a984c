-- truth: safe: both tables are new
-- base: shop

BEGIN;
CREATE TABLE albums (id bigint PRIMARY KEY);
CREATE TABLE photos (id bigint PRIMARY KEY, album_id bigint);
ALTER TABLE photos ADD FOREIGN KEY (album_id) REFERENCES albums (id);
COMMIT;

-- truth: safe: made here, renamed here, indexed here
-- base: shop

CREATE TABLE tmp_ratings (id bigint PRIMARY KEY, stars integer);
ALTER TABLE tmp_ratings RENAME TO ratings;
CREATE INDEX ratings_stars_idx ON ratings (stars);
ALTER TABLE ratings ALTER COLUMN stars SET NOT NULL;

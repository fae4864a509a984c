-- truth: safe: a generated column of a table that is new
-- base: shop

CREATE TABLE articles (
  id bigint PRIMARY KEY,
  title text NOT NULL,
  body text NOT NULL DEFAULT '',
  fts tsvector GENERATED ALWAYS AS (setweight(to_tsvector('simple', title), 'A') || to_tsvector('simple', body)) STORED,
  words integer GENERATED ALWAYS AS (array_length(string_to_array(body, ' '), 1)) STORED
);
CREATE INDEX articles_fts_idx ON articles USING gin (fts);

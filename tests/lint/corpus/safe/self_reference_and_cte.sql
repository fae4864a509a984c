-- truth: safe: all of it is new
-- base: shop

CREATE TABLE categories (
  id integer GENERATED ALWAYS AS IDENTITY,
  parent_id integer,
  name text NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY (parent_id) REFERENCES categories (id),
  UNIQUE (parent_id, name)
);
WITH root AS (INSERT INTO categories (name) VALUES ('all') RETURNING id)
INSERT INTO categories (parent_id, name) SELECT id, 'books' FROM root;

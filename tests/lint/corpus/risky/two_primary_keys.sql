-- truth: risky: a table has one primary key
-- base: shop
-- proves: fails 42P16

CREATE TABLE order_tags (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigint NOT NULL,
  tag text NOT NULL,
  PRIMARY KEY (order_id, tag)
);

-- truth: safe: it lived for two lines
-- base: shop

CREATE TABLE probe (id integer);
DROP TABLE probe;

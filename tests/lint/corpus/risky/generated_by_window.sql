-- truth: risky: a generated column is about one row
-- base: shop
-- proves: fails 42P20

CREATE TABLE places (id bigint PRIMARY KEY, points integer, place bigint GENERATED ALWAYS AS (rank() OVER (ORDER BY points)) STORED);

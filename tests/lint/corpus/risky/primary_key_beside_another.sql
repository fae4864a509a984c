-- truth: risky: the table has a primary key
-- base: shop
-- proves: fails 42P16

ALTER TABLE sessions ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;

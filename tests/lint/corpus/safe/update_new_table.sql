-- truth: safe: the rows came two lines above
-- base: shop

CREATE TABLE countries (code char(2) PRIMARY KEY, name text);
INSERT INTO countries (code, name) VALUES ('DE', 'Germany'), ('FR', 'France');
UPDATE countries SET name = upper(name);
DELETE FROM countries;

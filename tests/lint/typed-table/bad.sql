-- proves: nothing
CREATE TYPE address AS (street text, city text);
CREATE TABLE addresses OF address;

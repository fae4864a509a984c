-- truth: safe: nothing is read yet
-- base: warehouse

ALTER TABLE app.people ADD CONSTRAINT people_age CHECK (age BETWEEN 0 AND 150) NOT VALID;

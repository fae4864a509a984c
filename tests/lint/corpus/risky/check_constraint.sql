-- truth: risky: read under ACCESS EXCLUSIVE
-- base: warehouse
-- proves: scan app.people

ALTER TABLE app.people ADD CONSTRAINT people_age CHECK (age BETWEEN 0 AND 150);

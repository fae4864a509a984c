-- truth: risky: the check goes to the children too
-- base: warehouse
-- proves: scan app.employees

ALTER TABLE app.people ADD CHECK (age >= 0);

-- truth: risky: queries of the parent no longer see the child's rows
-- base: warehouse
-- proves: answers SELECT count(*) FROM app.people

ALTER TABLE app.employees NO INHERIT app.people;

-- truth: risky: the children are rewritten as well
-- base: warehouse
-- proves: rewrite app.employees

ALTER TABLE app.people ALTER age TYPE bigint;

-- truth: risky: the parent is rewritten, and what inherits from it
-- base: warehouse
-- proves: rewrite app.people

ALTER TABLE app.people ALTER COLUMN age TYPE bigint;

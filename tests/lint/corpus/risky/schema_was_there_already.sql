-- truth: risky: there is a schema of that name
-- base: warehouse
-- proves: fails 42P06

CREATE SCHEMA stats;

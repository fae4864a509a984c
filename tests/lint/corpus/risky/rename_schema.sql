-- truth: risky: every name with the old schema is gone
-- base: warehouse
-- proves: gone app.tenants

ALTER SCHEMA app RENAME TO application;

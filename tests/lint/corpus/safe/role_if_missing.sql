-- truth: safe: a role and its rights
-- base: warehouse

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting') THEN
    CREATE ROLE reporting NOLOGIN;
  END IF;
END $$;
GRANT USAGE ON SCHEMA stats TO reporting;
GRANT SELECT ON ALL TABLES IN SCHEMA stats TO reporting;
ALTER DEFAULT PRIVILEGES IN SCHEMA stats GRANT SELECT ON TABLES TO reporting;

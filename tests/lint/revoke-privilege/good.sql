BEGIN;
REVOKE ALL ON customers FROM pg_monitor;
GRANT SELECT ON customers TO pg_monitor;
COMMIT;

-- proves: loses SELECT has_table_privilege('pg_monitor', 'customers', 'SELECT')
REVOKE ALL ON customers FROM pg_monitor;

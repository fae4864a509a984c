-- proves: leaves SELECT has_table_privilege('pg_monitor', 'orders', 'TRUNCATE')
GRANT ALL ON orders TO PUBLIC;

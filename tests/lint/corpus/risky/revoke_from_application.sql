-- truth: risky: the role's writes fail
-- base: shop
-- proves: answers SELECT has_table_privilege('pg_write_server_files', 'orders', 'INSERT')

-- history
GRANT INSERT, UPDATE ON orders TO pg_write_server_files;
-- migration
REVOKE INSERT ON orders FROM pg_write_server_files;

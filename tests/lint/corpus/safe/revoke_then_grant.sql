-- truth: safe: the role keeps what it needs
-- base: shop

-- history
GRANT ALL ON orders TO pg_write_server_files;
-- migration
BEGIN;
REVOKE ALL ON orders FROM pg_write_server_files;
GRANT SELECT, INSERT, UPDATE ON orders TO pg_write_server_files;
COMMIT;

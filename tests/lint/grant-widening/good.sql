GRANT SELECT ON orders TO pg_monitor;

-- proves: nothing
ALTER TABLE archive SET (autovacuum_enabled = off);

-- truth: risky: takes every table in it
-- base: warehouse
-- proves: gone stats.sensors

DROP SCHEMA stats CASCADE;

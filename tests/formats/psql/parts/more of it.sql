CREATE TABLE b ();
\ir tables.sql

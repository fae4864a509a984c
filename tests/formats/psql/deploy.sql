BEGIN;
\ir parts/tables.sql
\ir parts/missing.sql
\ir parts/missing.sql
\i helper.sql
COMMIT;

-- truth: safe: psql's commands are passed over
-- base: shop

\set ON_ERROR_STOP on
\timing
\echo adding the column
BEGIN;
ALTER TABLE orders ADD COLUMN picked_at timestamptz;
COMMIT;
\echo done

-- truth: risky: psql's commands around it hide nothing
-- base: shop
-- at: SET NOT NULL
-- proves: scan public.orders

\set ON_ERROR_STOP on
\timing on
\echo 'making amount required'
ALTER TABLE orders
  ALTER COLUMN amount -- it is never null; says Bob
    SET NOT NULL;
\echo done

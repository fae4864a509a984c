-- proves: blocks reads orders
BEGIN;
LOCK TABLE orders;
COMMIT;

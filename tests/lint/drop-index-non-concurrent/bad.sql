-- proves: lock orders ACCESS EXCLUSIVE
-- proves: blocks reads orders
DROP INDEX orders_status;

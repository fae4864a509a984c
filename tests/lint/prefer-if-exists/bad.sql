-- proves: nothing
DROP VIEW order_totals;

-- proves: breaks SELECT * FROM order_totals
DROP VIEW order_totals;

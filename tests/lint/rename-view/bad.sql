-- proves: breaks SELECT * FROM order_totals
ALTER VIEW order_totals RENAME TO totals;

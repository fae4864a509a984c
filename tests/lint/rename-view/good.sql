CREATE VIEW totals AS SELECT * FROM order_totals;

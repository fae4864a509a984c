-- truth: risky: the table has no such column
-- base: shop
-- proves: fails 42703

INSERT INTO products (sku, title, price, colour) VALUES ('X1', 'Lamp', 10, 'red');

-- truth: risky: every order gets a country
-- base: shop
-- at: UPDATE orders
-- proves: changes public.orders

ALTER TABLE orders ADD COLUMN country char(2);
UPDATE orders SET country = c.country FROM customers c WHERE c.id = orders.customer_id;

-- truth: risky: MERGE that matches every row
-- base: shop
-- server: 15
-- proves: changes public.orders

MERGE INTO orders AS o
USING (SELECT id, country FROM customers) AS c
ON o.customer_id = c.id
WHEN MATCHED THEN UPDATE SET note = c.country;

-- truth: risky: the UPDATE stands in a WITH
-- base: shop
-- proves: changes public.products

WITH changed AS (
  UPDATE products SET price = price * 2 RETURNING id
)
SELECT count(*) FROM changed;

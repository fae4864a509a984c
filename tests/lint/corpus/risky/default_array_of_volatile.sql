-- truth: risky: every element of the array is evaluated for each row
-- base: shop
-- proves: rewrite public.customers

ALTER TABLE customers ADD COLUMN seeds double precision[] DEFAULT ARRAY[random(), random()];

-- truth: risky: a shorter varchar is checked row by row into a new file
-- base: shop
-- proves: rewrite public.order_lines

ALTER TABLE order_lines ALTER COLUMN memo TYPE varchar(20);

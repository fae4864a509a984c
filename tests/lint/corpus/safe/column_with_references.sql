-- truth: safe: without a default PostgreSQL skips the check: no row can have a value
-- base: shop

ALTER TABLE orders ADD COLUMN product_id integer REFERENCES products (id);

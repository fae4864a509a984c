-- truth: risky: with a default the foreign key of the new column is checked for every row
-- base: shop
-- proves: scan public.orders

-- history
ALTER TABLE products ADD COLUMN stock integer;

-- migration
ALTER TABLE orders ADD COLUMN main_product_id integer DEFAULT 1 REFERENCES products (id);

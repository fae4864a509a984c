-- truth: risky: a volatile call hides two levels deep in the default
-- base: shop
-- proves: rewrite public.orders

ALTER TABLE orders ADD COLUMN lottery integer NOT NULL DEFAULT coalesce(NULL, (floor(random() * 100))::integer);

-- truth: risky: the domain was free once, a later migration gave it a CHECK
-- base: shop
-- proves: rewrite public.orders

-- history
ALTER DOMAIN short_text ADD CONSTRAINT short_text_length CHECK (length(VALUE) < 200);

-- migration
ALTER TABLE orders ADD COLUMN summary short_text;

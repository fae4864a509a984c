-- truth: risky: the domain's default is another value for every row
-- base: shop
-- at: ADD COLUMN ticket
-- proves: rewrite public.orders

CREATE DOMAIN ticket_id AS uuid DEFAULT gen_random_uuid();
ALTER TABLE orders ADD COLUMN ticket ticket_id;

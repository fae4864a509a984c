-- proves: rewrite orders
-- proves: blocks reads orders
ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();

-- proves: rewrite orders
ALTER TABLE orders ADD COLUMN place positive;

-- truth: risky: a guarded ALTER in a DO block scans under the lock
-- base: shop
-- at: DO
-- proves: scan public.orders

-- EF Core and hand-written scripts guard constraints like this.
DO $do$
BEGIN
    IF NOT EXISTS(SELECT 1 FROM pg_constraint WHERE conname = 'orders_amount_positive') THEN
        ALTER TABLE orders ADD CONSTRAINT orders_amount_positive CHECK (amount > 0);
    END IF;
END $do$;

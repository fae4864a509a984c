-- truth: risky: guarded or not, the check is validated under lock
-- base: shop
-- proves: scan public.order_lines

DO $do$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_constraint
        WHERE conname = 'order_lines_quantity_positive'
          AND conrelid = 'order_lines'::regclass
    ) THEN
        ALTER TABLE order_lines
            ADD CONSTRAINT order_lines_quantity_positive CHECK (quantity > 0);
    END IF;
END
$do$;

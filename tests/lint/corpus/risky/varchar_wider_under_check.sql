-- truth: risky: the CHECK on the column is verified again under the lock
-- base: shop
-- proves: scan public.order_lines

-- history
ALTER TABLE order_lines ADD CONSTRAINT memo_not_blank CHECK (memo <> '');

-- migration
ALTER TABLE order_lines ALTER COLUMN memo TYPE varchar(400);

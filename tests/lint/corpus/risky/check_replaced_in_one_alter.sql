-- truth: risky: the new check reads the table although the old one was as good
-- base: shop
-- proves: scan public.orders

ALTER TABLE orders
  DROP CONSTRAINT orders_amount_sane,
  ADD CONSTRAINT orders_amount_sane CHECK (amount < 200000000);

-- truth: risky: to change ON DELETE the key is made anew, and every row is checked
-- base: shop
-- proves: scan public.payments

ALTER TABLE payments
  DROP CONSTRAINT IF EXISTS payments_order_id_fkey,
  ADD CONSTRAINT payments_order_id_fkey FOREIGN KEY (order_id)
    REFERENCES orders (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

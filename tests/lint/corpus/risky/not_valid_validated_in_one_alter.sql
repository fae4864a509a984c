-- truth: risky: both in one command keep the strong lock during the scan
-- base: shop
-- proves: scan public.orders

ALTER TABLE orders
  ADD CONSTRAINT orders_note_len CHECK (length(note) < 4000) NOT VALID,
  VALIDATE CONSTRAINT orders_note_len;

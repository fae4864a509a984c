-- truth: risky: the last of five commands scans
-- base: shop
-- proves: scan public.order_lines

ALTER TABLE IF EXISTS ONLY public.order_lines
  ADD COLUMN IF NOT EXISTS gift boolean DEFAULT false NOT NULL,
  ALTER COLUMN discount SET DEFAULT 0,
  ALTER COLUMN memo DROP DEFAULT,
  SET (autovacuum_vacuum_scale_factor = 0.02),
  ADD CONSTRAINT order_lines_quantity_check CHECK (quantity > 0);

-- truth: safe: constants are kept in the catalog, whatever they look like
-- base: shop

ALTER TABLE orders
  ADD COLUMN priority integer NOT NULL DEFAULT -1,
  ADD COLUMN labels text[] NOT NULL DEFAULT '{}',
  ADD COLUMN marks text[] DEFAULT ARRAY[]::text[],
  ADD COLUMN gift boolean DEFAULT false,
  ADD COLUMN ratio numeric(5,2) DEFAULT (1.0 + 2.5) * 2,
  ADD COLUMN extra jsonb NOT NULL DEFAULT '{}'::jsonb,
  ADD COLUMN region text DEFAULT lower('EU') || '-' || 'west';

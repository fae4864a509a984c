-- truth: safe: now() and its kin are stable, taken once for all rows
-- base: shop

ALTER TABLE orders ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE orders ADD COLUMN noted_at timestamp DEFAULT CURRENT_TIMESTAMP;
ALTER TABLE orders ADD COLUMN due date DEFAULT CURRENT_DATE + 14;
ALTER TABLE orders ADD COLUMN expires timestamptz DEFAULT pg_catalog.now() + interval '1 year';
ALTER TABLE orders ADD COLUMN month timestamptz DEFAULT date_trunc('month', now());
ALTER TABLE orders ADD COLUMN entered_by text DEFAULT current_user;
ALTER TABLE orders ADD COLUMN started timestamptz DEFAULT transaction_timestamp();

-- truth: safe: each default is the same for all rows
-- base: shop

ALTER TABLE orders
  ADD COLUMN due_at timestamptz NOT NULL DEFAULT (now() + interval '14 days'),
  ADD COLUMN made_by text NOT NULL DEFAULT current_user,
  ADD COLUMN labels text[] NOT NULL DEFAULT ARRAY[]::text[],
  ADD COLUMN day date NOT NULL DEFAULT (current_date - 1),
  ADD COLUMN app text DEFAULT current_setting('application_name', true),
  ADD COLUMN details jsonb NOT NULL DEFAULT jsonb_build_object('v', 1),
  ADD COLUMN code text DEFAULT upper(lower('Abc')) || '-' || 1 + 1,
  ADD COLUMN started timestamptz DEFAULT statement_timestamp(),
  ADD COLUMN tx bigint DEFAULT txid_current();

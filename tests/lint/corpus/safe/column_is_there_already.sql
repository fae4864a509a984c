-- truth: safe: nothing is added: the column is there
-- base: shop

ALTER TABLE customers ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE customers ADD COLUMN IF NOT EXISTS nickname varchar(50) NOT NULL;

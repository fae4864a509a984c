ALTER TABLE orders ADD COLUMN token uuid;
ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();

-- The same for every row: kept in the catalog.
ALTER TABLE orders ADD COLUMN noticed timestamptz NOT NULL DEFAULT now();
ALTER TABLE orders ADD COLUMN due date DEFAULT date_trunc('day', CURRENT_TIMESTAMP + interval '1 day');
ALTER TABLE orders ADD COLUMN depth integer DEFAULT -1;

-- truth: safe: a copy of the shape, not of the rows
-- base: shop

BEGIN;
CREATE TABLE orders_archive (LIKE orders INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
ALTER TABLE orders_archive ADD COLUMN archived_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE orders_archive ALTER COLUMN note SET NOT NULL;
CREATE INDEX orders_archive_archived_at_idx ON orders_archive (archived_at);
COMMIT;

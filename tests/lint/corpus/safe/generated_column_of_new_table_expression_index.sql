-- truth: safe: a copy of the structure, with its indexes, is as new as any table
-- base: shop

CREATE TABLE orders_history (LIKE orders INCLUDING DEFAULTS INCLUDING INDEXES);
ALTER TABLE orders_history ADD COLUMN archived_at timestamptz NOT NULL DEFAULT clock_timestamp();
DROP INDEX orders_history_status_idx;
ALTER TABLE orders_history ALTER COLUMN amount TYPE bigint;
ALTER TABLE orders_history SET UNLOGGED;

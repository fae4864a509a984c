-- truth: risky: the index is ready, but the column may be NULL: an implicit SET NOT NULL scans
-- base: shop
-- at: USING INDEX
-- proves: scan public.order_lines

-- history
ALTER TABLE order_lines ADD COLUMN uid bigint;

-- rows
UPDATE order_lines SET uid = order_id;

-- migration
CREATE UNIQUE INDEX CONCURRENTLY order_lines_uid ON order_lines (uid);
ALTER TABLE order_lines ADD CONSTRAINT order_lines_pk PRIMARY KEY USING INDEX order_lines_uid;

-- truth: risky: the old rows have no value for NOT NULL
-- base: shop
-- at: SET NOT NULL
-- proves: fails 23502

BEGIN;
ALTER TABLE customers ALTER COLUMN updated_at SET DEFAULT now();
ALTER TABLE customers ALTER COLUMN updated_at SET NOT NULL;
COMMIT;

-- truth: safe: a temporary table is nobody else's
-- base: shop

CREATE TEMP TABLE scratch (id bigint, total integer);
INSERT INTO scratch SELECT id, amount FROM orders WHERE id < 100;
CREATE INDEX ON scratch (id);
UPDATE scratch SET total = 0;
DELETE FROM scratch;
TRUNCATE scratch;
ALTER TABLE scratch ADD COLUMN x uuid DEFAULT gen_random_uuid();
DROP TABLE scratch;

-- truth: safe: the CHECK that would be verified goes first and comes back NOT VALID
-- base: shop

-- history
ALTER TABLE order_lines ADD CONSTRAINT memo_not_blank CHECK (memo <> '');

-- migration
BEGIN;
ALTER TABLE order_lines DROP CONSTRAINT memo_not_blank;
ALTER TABLE order_lines ALTER COLUMN memo TYPE varchar(200);
ALTER TABLE order_lines ADD CONSTRAINT memo_not_blank CHECK (memo <> '') NOT VALID;
COMMIT;
ALTER TABLE order_lines VALIDATE CONSTRAINT memo_not_blank;

-- truth: safe: the type is made in the same transaction with the value
-- base: shop

BEGIN;
CREATE TYPE channel AS ENUM ('web', 'app');
ALTER TABLE orders ADD COLUMN channel channel NOT NULL DEFAULT 'web';
COMMIT;

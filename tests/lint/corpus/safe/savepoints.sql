-- truth: safe: savepoints do not end the transaction, nor do they hurt
-- base: shop

BEGIN;
SAVEPOINT one;
ALTER TABLE orders ADD COLUMN note2 text;
RELEASE SAVEPOINT one;
COMMIT;

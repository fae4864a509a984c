-- truth: risky: the usual Alembic data migration
-- base: shop
-- at: UPDATE orders
-- proves: changes public.orders

-- history
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version (version_num) VALUES ('27c6a30d7c24');

-- migration
BEGIN;

-- Running upgrade 27c6a30d7c24 -> 5f1a7c1b0a3e

ALTER TABLE orders ADD COLUMN channel VARCHAR(20);

UPDATE orders SET channel = 'web';

UPDATE alembic_version SET version_num='5f1a7c1b0a3e' WHERE alembic_version.version_num = '27c6a30d7c24';

COMMIT;

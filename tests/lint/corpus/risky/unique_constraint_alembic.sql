-- truth: risky: op.create_unique_constraint
-- base: shop
-- at: ADD CONSTRAINT
-- proves: scan public.orders

-- history
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version (version_num) VALUES ('1975ea83b712');

-- migration
BEGIN;

-- Running upgrade 1975ea83b712 -> ae1027a6acf

ALTER TABLE orders ADD CONSTRAINT uq_orders_reference UNIQUE (reference);

UPDATE alembic_version SET version_num='ae1027a6acf' WHERE alembic_version.version_num = '1975ea83b712';

COMMIT;

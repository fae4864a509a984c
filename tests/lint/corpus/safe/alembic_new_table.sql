-- truth: safe: offline SQL of Alembic
-- base: shop

-- history
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version (version_num) VALUES ('1975ea83b712');

-- migration
BEGIN;

-- Running upgrade 1975ea83b712 -> ae1027a6acf

CREATE TABLE shipments (
    id SERIAL NOT NULL,
    order_id BIGINT,
    carrier VARCHAR(50) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(order_id) REFERENCES orders (id)
);

CREATE INDEX ix_shipments_carrier ON shipments (carrier);

UPDATE alembic_version SET version_num='ae1027a6acf' WHERE alembic_version.version_num = '1975ea83b712';

COMMIT;

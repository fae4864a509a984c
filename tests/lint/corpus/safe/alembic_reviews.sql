-- truth: safe: all of it is new
-- base: shop

BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 1975ea83b712

CREATE TABLE reviews (
    id BIGSERIAL NOT NULL,
    product_id INTEGER NOT NULL,
    stars SMALLINT DEFAULT 5 NOT NULL,
    body TEXT,
    PRIMARY KEY (id),
    CONSTRAINT ck_reviews_stars CHECK (stars BETWEEN 1 AND 5)
);

CREATE INDEX ix_reviews_product_id ON reviews (product_id);

INSERT INTO alembic_version (version_num) VALUES ('1975ea83b712') RETURNING alembic_version.version_num;

COMMIT;

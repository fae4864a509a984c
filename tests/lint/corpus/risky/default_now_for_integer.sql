-- truth: risky: a timestamp is no bigint
-- base: shop
-- proves: fails 42804

CREATE TABLE imports (id bigint PRIMARY KEY, started bigint NOT NULL DEFAULT now());
